"""Start and stop Spark, and deal with its JVM, executors, Python workers, signals and errors."""

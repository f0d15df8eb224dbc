"""The Spark session and what surrounds it: signals, workers, executors, errors, the installation."""

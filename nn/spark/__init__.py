"""Where Spark is: sessions, reading, training and scoring on RDDs, and storage on any Hadoop file system."""

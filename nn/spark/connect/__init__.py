"""Spark Connect: a session's rows with the methods of an RDD, which is all that training needs of a cluster."""

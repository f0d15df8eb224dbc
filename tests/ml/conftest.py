"""What the tests of nn.ml share: one session."""

import pytest


@pytest.fixture(scope="session")
def session(spark):
    """The session of the tests' SparkContext."""
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()

"""What the tests of nn.ml share: one session, and small DataFrames."""

import numpy as np
import pytest

XOR = [(0.0, (0.0, 0.0)), (1.0, (0.0, 1.0)), (1.0, (1.0, 0.0)), (0.0, (1.0, 1.0))]


@pytest.fixture(scope="session")
def session(request, tmp_path_factory):
    """The session of the tests' SparkContext, or with `--master connect` one on a server of Spark Connect."""
    if request.config.getoption("--master") == "connect":
        from tests.support.connect_server import connect_session

        with connect_session(tmp_path_factory.mktemp("server")) as session:
            yield session
        return
    request.getfixturevalue("spark")
    from pyspark.sql import SparkSession

    yield SparkSession.builder.getOrCreate()


@pytest.fixture(scope="session")
def vectors(session):
    """A function (rows of (label, values), names, partitions) -> a cached DataFrame with a column of vectors."""
    from pyspark.ml.linalg import Vectors

    def frame(rows, names=("label", "features"), partitions=1):
        made = session.createDataFrame([(label, Vectors.dense(values)) for label, values in rows], names)
        return made.coalesce(partitions).cache()

    return frame


@pytest.fixture(scope="session")
def xor(vectors):
    """The four rows of exclusive or."""
    return vectors(XOR)


@pytest.fixture(scope="session")
def iris(vectors):
    """Iris with its columns scaled to -1..1, as in Spark's sample_multiclass_classification_data.txt."""
    from sklearn.datasets import load_iris

    inputs, labels = load_iris(return_X_y=True)
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    inputs = np.round(2 * (inputs - low) / (high - low) - 1, 6)
    return vectors([(float(y), x.tolist()) for x, y in zip(inputs, labels, strict=True)])

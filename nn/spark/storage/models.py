"""Read model files wherever Spark can: on local disks, HDFS, object stores."""

from __future__ import annotations

import os
from typing import Any

from nn.core.errors import DataError
from nn.models.classifier import Predictor, read_model
from nn.spark.runtime.errors import as_user_error
from nn.spark.storage.filesystem import Storage


def load(path: str | os.PathLike, spark: Any) -> Predictor:
    """Read a model file from any file system of a session: a Classifier or a Regressor.

    Raises DataError, with the path, for a file that is not there, cannot be read or is no model; PlatformError for
    a file system that this Spark does not know.
    """
    name = os.fspath(path)
    try:
        return read_model(Storage(spark.sparkContext).read, name)
    except Exception as error:
        raise as_user_error(error, DataError, f"{name}: cannot be read as a model", name, "model") from None

"""Read a model file from any file system."""

from __future__ import annotations

from nn.core.errors import DataError
from nn.models import model_file
from nn.models.classifier import Predictor, predictor
from nn.spark.storage.filesystem import Storage


def read_model(storage: Storage, path: str) -> Predictor:
    """Read a model file. Raises DataError, with the path, for what is none."""
    try:
        content = storage.read(path, model_file.LARGEST)
        if content is None:
            raise DataError(f"MODEL: no such file: {path}")
        return predictor(*model_file.from_bytes(content))
    except ValueError as error:
        raise DataError(f"MODEL: {path}: cannot be read as a model: {error}") from None

"""Save and load stages: metadata/ as all stages of pyspark.ml have it, and for a model its model.npz as it is.

FOLDER/metadata/        class, uid and Params, by pyspark's own writer
FOLDER/model.npz        the model file, which nn.load and predict_task.py read
FOLDER/summary.json     how training went, where there is a summary
"""

from __future__ import annotations

import json
from typing import Any

import pyspark
from pyspark.ml.util import DefaultParamsReader, DefaultParamsWriter, MLReader, MLWriter

from nn.core.errors import DataError, UsageError
from nn.core.options import json_object_of
from nn.ml import summary as summaries
from nn.ml.sessions import session_of
from nn.models import model_file
from nn.models.classifier import content_of, predictor, read_model
from nn.models.model_file import SavedModel
from nn.spark.frames.interface import FrameSession

MODEL, SUMMARY = "model.npz", "summary.json"
LARGEST_SUMMARY = 64 << 20  # bytes
VECTORS = ("initialWeights",)  # Params that are saved as lists


def _target(one: MLWriter | MLReader) -> Any:
    """Return what pyspark's functions for metadata take: the context on Spark 3.5, else the session."""
    return one.sc if pyspark.__version__.startswith("3.") else one.sparkSession


class StageWriter(MLWriter):
    """Write an estimator or a model."""

    def __init__(self, stage: Any):
        super().__init__()
        self.stage = stage

    def _handleOverwrite(self, path: str) -> None:
        session_of(self.sparkSession).remove(path)

    def saveImpl(self, path: str) -> None:
        """Write the metadata, then the model and its summary. Raises UsageError for a folder with a model."""
        session = session_of(self.sparkSession)
        for name in () if self.shouldOverwrite else (MODEL, SUMMARY):
            if _exists(session, f"{path}/{name}"):
                raise UsageError(
                    f"{path}: expected a new folder, found {name} in it; write().overwrite().save(path) replaces the "
                    "whole folder"
                )
        plain = {
            param.name: value.toArray().tolist() if param.name in VECTORS else value
            for param, value in self.stage._paramMap.items()
            if value is not None  # as if it were not set
        }
        DefaultParamsWriter.saveMetadata(self.stage, path, _target(self), paramMap=plain)
        found = getattr(self.stage, "predictor", None)
        if found is None:
            return
        session.write_file(f"{path}/{MODEL}", model_file.to_bytes(found.model, found.params, found.about))
        if self.stage.hasSummary:
            text = json.dumps(summaries.to_plain(self.stage.summary))
            session.write_file(f"{path}/{SUMMARY}", text.encode())


def _exists(session: FrameSession, path: str) -> bool:
    """Return whether there is a file, without reading it."""
    try:
        return session.read_file(path, 0) is not None
    except ValueError:  # it has bytes
        return True


class StageReader(MLReader):
    """Read an estimator or a model of one class."""

    def __init__(self, kind: Any):
        super().__init__()
        self.kind = kind

    def load(self, path: str) -> Any:
        """Return the stage. Raises DataError where the folder holds another stage."""
        metadata = DefaultParamsReader.loadMetadata(path, _target(self))
        expected = f"{self.kind.__module__}.{self.kind.__name__}"
        found = metadata["class"]
        if found != expected:
            name = found.rpartition(".")[2]
            what = "a model" if name.endswith("Model") else "an estimator"
            raise DataError(
                f"{path}: expected {self.kind.__name__}, found {what}, {name}; load it by {name}.load(path)"
            )
        stage = self.kind()
        stage._resetUid(metadata["uid"])
        DefaultParamsReader.getAndSetParams(stage, metadata)
        if hasattr(stage, "predictor"):
            session = session_of(self.sparkSession)
            stage.predictor = predictor(*read_saved(session, path))
            text = session.read_file(f"{path}/{SUMMARY}", LARGEST_SUMMARY)
            if text is not None:
                stage._summary = summaries.from_plain(json_object_of(text, f"{path}/{SUMMARY}"))
        return stage


def read_saved(session: FrameSession, path: str) -> SavedModel:
    """Return the content of a model file, or of the one in a saved stage. Raises DataError where there is none."""
    path = path if path.endswith(".npz") else f"{path.rstrip('/')}/{MODEL}"
    return content_of(read_model(session.read_file, path))

"""Fitted networks as models of pyspark.ml: transform, evaluate, predict one row, save and load."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
from pyspark.ml.classification import ProbabilisticClassificationModel
from pyspark.ml.linalg import DenseVector
from pyspark.ml.regression import RegressionModel
from pyspark.ml.util import MLReadable, MLWritable

from nn.core.errors import DataError
from nn.data.tables import pack_for, pack_rows
from nn.ml import evaluation
from nn.ml.params import ClassifierParams, NetworkParams, with_accessors
from nn.ml.persistence import StageReader, StageWriter, read_saved
from nn.ml.scoring import Output, check_thresholds, with_predictions
from nn.ml.sessions import session_of
from nn.ml.summary import ClassificationSummary, RegressionSummary
from nn.models import model_file
from nn.models.classifier import Classifier, Regressor, predictor
from nn.models.outputs import LABEL, PREDICTION, PROBABILITY, RAW, over_thresholds, probabilities_of, raw_of
from nn.models.perceptron import flat_weights

M = TypeVar("M", bound="NetworkModel")
S = TypeVar("S", ClassificationSummary, RegressionSummary)


class NetworkModel(MLWritable, MLReadable):
    """What models of classes and of values share. `predictor` is the network in plain NumPy."""

    predictor: Any = None
    _summary: Any = None

    @classmethod
    def of(cls: type[M], found: Any) -> M:
        """Return the model of a trained network."""
        model = cls()
        model.predictor = found
        return model

    @classmethod
    def from_npz(cls: type[M], path: str | os.PathLike) -> M:
        """Return the model of a model file on any file system, such as one that main_task.py wrote.

        Raises DataError for a file that is no model, or one of the other kind.
        """
        from pyspark.sql import SparkSession

        found = predictor(*read_saved(session_of(SparkSession.active()), os.fspath(path)))
        if not isinstance(found, cls._kind()):
            kinds = cls._kind().__name__.lower(), type(found).__name__.lower()
            raise DataError(f"{os.fspath(path)}: expected a {kinds[0]}, found a {kinds[1]}")
        model = cls.of(found)
        names = model.predictor.model.encoder.names
        if not names or names == tuple(map(str, range(len(names)))):
            return model
        # The values of a column of arrays are called column[0], column[1], ...
        column = names[0].removesuffix("[0]")
        is_array = names == tuple(f"{column}[{number}]" for number in range(len(names)))
        return model.setFeaturesCol(column if is_array else list(names))  # type: ignore[attr-defined]

    def write_npz(self, path: str | os.PathLike) -> None:
        """Write the model file, which nn.load reads, to any file system."""
        from pyspark.sql import SparkSession

        found = self.predictor
        content = model_file.to_bytes(found.model, found.params, found.about)
        session_of(SparkSession.active()).write_file(os.fspath(path), content)

    @classmethod
    def _kind(cls) -> type:
        raise NotImplementedError

    def __repr__(self) -> str:
        name, uid = type(self).__name__, self.uid  # type: ignore[attr-defined]
        if self.predictor is None:
            return f"{name}: uid={uid}"
        model = self.predictor.model
        layers = ", ".join(layer.short_name for layer in model.layers)
        return (
            f"{name}: uid={uid}, layers=[{layers}], numClasses={model.classes}, numFeatures={model.columns}"
        )

    @property
    def weights(self) -> DenseVector:
        """Return all weights in one vector: W (inputs x units, row by row) and b of each layer."""
        return DenseVector(flat_weights(self.predictor.params))

    @property
    def numFeatures(self) -> int:
        """Return the number of values of a row of features, before they are encoded."""
        return self.predictor.model.columns

    @property
    def hasSummary(self) -> bool:
        """Return whether the model has the summary of its training."""
        return self._summary is not None

    @property
    def summary(self) -> Any:
        """Return the summary of training. Raises RuntimeError where there is none."""
        if self._summary is None:
            raise RuntimeError(f"No training summary available for this {type(self).__name__}")
        return self._summary

    def summary_of(self, measured: S, dataset: Any) -> S:
        """Return a summary of the rows of a DataFrame, which gives their predictions too."""
        return replace(measured, _predicted=partial(self.transform, dataset))  # type: ignore[attr-defined]

    def write(self) -> StageWriter:
        """Return a writer; the folder holds the model file model.npz as it is."""
        return StageWriter(self)

    @classmethod
    def read(cls) -> StageReader:
        """Return a reader."""
        return StageReader(cls)

    def _outputs(self, value: Any) -> np.ndarray:
        """Return the outputs of the network (1, units) for one row.

        A row is a vector, an array or a list of numbers, or bytes; or a Row or a dict with the columns by name.
        """
        model, params = self.predictor.model, self.predictor.params
        if hasattr(value, "asDict"):
            value = value.asDict()
        if isinstance(value, dict):
            names = [name for name in model.encoder.names if name in value]
            packed = pack_for(model.encoder, {name: np.array([value[name]], object) for name in names})
            return model.forward(params, packed)
        if isinstance(value, (bytes, bytearray)):
            value = np.frombuffer(value, np.uint8)
        row = value.toArray() if hasattr(value, "toArray") else np.asarray(value)
        if row.shape != (model.columns,):
            raise ValueError(f"expected {model.columns} values, found an array of shape {row.shape}")
        packed = pack_for(model.encoder, row[None])
        if packed is None:
            packed = pack_rows(model.encoder, row[None]).astype(np.float32)
        return model.forward(params, packed)


@with_accessors
class NeuralNetworkClassificationModel(NetworkModel, ClassifierParams, ProbabilisticClassificationModel):
    """A trained network that predicts classes."""

    @classmethod
    def _kind(cls) -> type:
        return Classifier

    @property
    def classifier(self) -> Classifier:
        """Return the network in plain NumPy: predict, predict_proba, save."""
        return self.predictor

    @property
    def numClasses(self) -> int:
        """Return the number of classes."""
        return self.predictor.classes

    def predictRaw(self, value: Any) -> DenseVector:
        """Return the raw predictions of one row: the logits."""
        return DenseVector(raw_of(self.predictor.model, self._outputs(value))[0])

    def predictProbability(self, value: Any) -> DenseVector:
        """Return the probability of each class for one row."""
        return DenseVector(probabilities_of(self.predictor.model, self._outputs(value))[0])

    def predict(self, value: Any) -> float:
        """Return the index of the class of one row; thresholds count as in transform."""
        model, outputs = self.predictor.model, self._outputs(value)
        thresholds = self._given("thresholds")
        check_thresholds(thresholds, model.classes)
        if thresholds is None:
            return float(model.loss.predict(outputs)[0])
        return float(over_thresholds(probabilities_of(model, outputs), thresholds)[0])

    def evaluate(self, dataset: Any) -> ClassificationSummary:
        """Return the measures of the predictions for rows with labels, weighted where weightCol is set."""
        return self.summary_of(evaluation.of_classes(self, dataset), dataset)

    def _transform(self, dataset: Any) -> Any:
        outputs = [
            Output(self._value("rawPredictionCol"), RAW),
            Output(self._value("probabilityCol"), PROBABILITY),
            Output(self._value("predictionCol"), PREDICTION),
            Output(self._value("predictedLabelCol"), LABEL),
        ]
        features, thresholds = self._value("featuresCol"), self._given("thresholds")
        return with_predictions(dataset, features, self.predictor, outputs, thresholds)


@with_accessors
class NeuralNetworkRegressionModel(NetworkModel, NetworkParams, RegressionModel):
    """A trained network that predicts values."""

    @classmethod
    def _kind(cls) -> type:
        return Regressor

    @property
    def regressor(self) -> Regressor:
        """Return the network in plain NumPy: predict, save."""
        return self.predictor

    def predict(self, value: Any) -> float:
        """Return the predicted value of one row."""
        model = self.predictor.model
        return float(model.decoder.decode(model.loss.predict(self._outputs(value)))[0])

    def evaluate(self, dataset: Any) -> RegressionSummary:
        """Return the errors of the predictions for rows with labels, weighted where weightCol is set."""
        return self.summary_of(evaluation.of_values(self, dataset), dataset)

    def _transform(self, dataset: Any) -> Any:
        output = Output(self._value("predictionCol"), PREDICTION)
        return with_predictions(dataset, self._value("featuresCol"), self.predictor, [output])

"""Estimators of pyspark.ml that train a network on a DataFrame."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pyspark import keyword_only
from pyspark.ml.classification import ProbabilisticClassifier
from pyspark.ml.regression import Regressor
from pyspark.ml.util import MLReadable, MLWritable

from nn.ml.fit_plan import fit_plan
from nn.ml.fitting import Fitted, fit_all
from nn.ml.model import NeuralNetworkClassificationModel, NeuralNetworkRegressionModel
from nn.ml.params import ClassifierParams, NetworkParams, with_accessors
from nn.ml.persistence import StageReader, StageWriter
from nn.training.records import Epoch

_log = logging.getLogger("nn.ml")


class NetworkEstimator(MLWritable, MLReadable):
    """What estimators of classes and of values share."""

    _is_regression = False
    _model: type[Any]
    _callback: Callable[[Epoch], object] | None = None
    _has_map = False  # whether a Param map has set some of the Params

    def setCallback(self, function: Callable[[Epoch], object] | None) -> Any:
        """Call a function with each epoch's line of the history while `fit` runs, and return the stage.

        It is no Param: it is not saved. The logger "nn.ml" gets a line per epoch in any case, at the level INFO.
        """
        self._callback = function
        return self

    def write(self) -> StageWriter:
        """Return a writer."""
        return StageWriter(self)

    @classmethod
    def read(cls) -> StageReader:
        """Return a reader."""
        return StageReader(cls)

    def copy(self, extra: Any = None) -> Any:
        """Return a copy with the values of a Param map."""
        copied = super().copy(extra)  # type: ignore[misc]
        copied._has_map = any(param.parent == self.uid for param in extra or ())  # type: ignore[attr-defined]
        return copied

    def _fit(self, dataset: Any) -> Any:
        if self._has_map:
            _log.info(
                "one Param map is trained alone; a tuner trains all maps in one pass where the network itself is its "
                "estimator, not a Pipeline around it"
            )
        (fitted,) = fit_all(dataset, [fit_plan(self, self._is_regression)], [self._callback])  # type: ignore[arg-type]
        if fitted.error is not None:
            raise fitted.error
        return self._model_of(fitted, dataset)

    def fitMultiple(self, dataset: Any, paramMaps: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Train for all Param maps, and return an iterator of (number of the map, model) that threads may share.

        Maps that read the DataFrame alike train together, in one pass over the cached rows per step; each model has
        the bits of the one that is fitted alone. A map whose training diverges gives the model of its last epoch with
        finite numbers, and a warning.
        """
        return _Models(self, dataset, paramMaps)

    def _model_of(self, fitted: Fitted, dataset: Any) -> Any:
        model = self._model.of(fitted.predictor)
        model._resetUid(self.uid)  # type: ignore[attr-defined]
        model = self._copyValues(model)  # type: ignore[attr-defined]
        model._summary = model.summary_of(fitted.summary, dataset)
        return model


class _Models:
    """The models of several Param maps, trained together when the first is asked for."""

    def __init__(self, estimator: Any, dataset: Any, maps: Sequence[Any]):
        self._stages = [estimator.copy(values) for values in maps]
        self._dataset, self._lock, self._number = dataset, threading.Lock(), 0
        self._models: list[Any] | None = None
        self._error: BaseException | None = None

    def __iter__(self) -> _Models:
        return self

    def __next__(self) -> tuple[int, Any]:
        with self._lock:
            if self._number >= len(self._stages):
                raise StopIteration
            if self._error is not None:  # the threads of a tuner ask for the other maps all the same
                raise self._error
            if self._models is None:
                try:
                    self._models = self._fitted()
                except BaseException as error:
                    self._error = error
                    raise
            number, self._number = self._number, self._number + 1
            return number, self._models[number]

    def _fitted(self) -> list[Any]:
        plans = [fit_plan(stage, stage._is_regression) for stage in self._stages]
        fitted = fit_all(self._dataset, plans, [stage._callback for stage in self._stages])
        return [stage._model_of(one, self._dataset) for stage, one in zip(self._stages, fitted, strict=True)]


@with_accessors
class NeuralNetworkClassifier(NetworkEstimator, ClassifierParams, ProbabilisticClassifier):
    """Train a network of classes on a DataFrame, in the place of MultilayerPerceptronClassifier.

    Labels are class numbers 0..k-1, as StringIndexer gives them. With `layers` the network is that of
    MultilayerPerceptronClassifier; `layerSpec` takes any layers, `optimizer` any optimizer. docs/pyspark_ml.md has
    examples. Raises UsageError for Params that exclude each other, DataError for rows that cannot be learned from.
    """

    _model = NeuralNetworkClassificationModel

    @keyword_only
    def __init__(self, **params: Any):
        super().__init__()
        self.setParams(**params)

    @keyword_only
    def setParams(self, **params: Any) -> Any:
        """Set several Params by keyword, and return the stage. None leaves a Param as it is."""
        return self._set(**{name: value for name, value in params.items() if value is not None})


@with_accessors
class NeuralNetworkRegressor(NetworkEstimator, NetworkParams, Regressor):
    """Train a network of values on a DataFrame. The target is standardized in training, and predicted in its unit."""

    _is_regression = True
    _model = NeuralNetworkRegressionModel

    @keyword_only
    def __init__(self, **params: Any):
        super().__init__()
        self.setParams(**params)

    @keyword_only
    def setParams(self, **params: Any) -> Any:
        """Set several Params by keyword, and return the stage. None leaves a Param as it is."""
        return self._set(**{name: value for name, value in params.items() if value is not None})

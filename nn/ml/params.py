"""The Params of the stages: those of MultilayerPerceptronClassifier with its defaults, and an option of a Recipe each.

A Param that stands for an option takes the words and values that the command line and JSON take, checked by the same
constraints, and keeps plain values that can be saved.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import (
    HasBlockSize,
    HasFeaturesCol,
    HasLabelCol,
    HasMaxIter,
    HasPredictionCol,
    HasSeed,
    HasStepSize,
    HasTol,
    HasValidationIndicatorCol,
    HasWeightCol,
)

from nn.core.constraints import AT_LEAST_ONE, NON_NEGATIVE, Constraint, Interval, OneOf
from nn.core.options import invalid, options_of
from nn.training.recipe import Recipe, read_value

L_BFGS, GD = SOLVERS = ("l-bfgs", "gd")

# Param -> the field of a recipe that it stands for.
OPTIONS = {
    "layerSpec": "layers",
    "inputShape": "input_shape",
    "initializer": "initializer",
    "loss": "loss",
    "optimizer": "optimizer",
    "learningRate": "learning_rate",
    "schedule": "schedule",
    "warmup": "warmup",
    "clip": "clip",
    "averaging": "average",
    "roundsPerEpoch": "rounds_per_epoch",
    "epochsPerRound": "epochs_per_round",
    "outerLearningRate": "outer_learning_rate",
    "outerMomentum": "outer_momentum",
    "batchSize": "batch_size",
    "sample": "sample",
    "l1": "l1",
    "l2": "l2",
    "classWeights": "class_weights",
    "validationFraction": "validation_fraction",
    "patience": "patience",
    "averageWeights": "average_weights",
    "scale": "scale",
    "missing": "missing",
    "unknown": "unknown",
    "maxCategories": "max_categories",
    "augment": "augment",
    "keepLayers": "keep_layers",
    "freeze": "freeze",
}

C = TypeVar("C", bound=type[Params])


def _plain(field_name: str, value: Any) -> Any:
    """Return the plain value of an option, checked. Raises ValueError that says what is expected."""
    field = options_of(Recipe)[field_name]
    return field.metadata["reader"].plain(read_value(field, value))


def _checked(kind: Callable[[Any], Any], constraint: Constraint, value: Any) -> Any:
    """Return a converted value. Raises ValueError for one that the constraint excludes."""
    converted = kind(value)
    if converted not in constraint:
        raise invalid(constraint, value)
    return converted


def _sizes(value: Any) -> list[int]:
    """Return the sizes of layers. Raises ValueError for fewer than two and for sizes below 1."""
    sizes = TypeConverters.toListInt(value)
    if len(sizes) < 2 or not all(size in AT_LEAST_ONE for size in sizes):
        raise invalid("two or more sizes of at least 1, inputs first and classes last", sizes)
    return sizes


def _thresholds(value: Any) -> list[float]:
    thresholds = TypeConverters.toListFloat(value)
    if not all(threshold in NON_NEGATIVE for threshold in thresholds) or thresholds.count(0.0) > 1:
        raise invalid("thresholds of at least 0, of which at most one is 0", thresholds)
    return thresholds


def _features(value: Any) -> Any:
    """Return the name of a column, or a list of names."""
    if isinstance(value, (str, np.str_)):
        return str(value)
    names = TypeConverters.toListString(value)
    if not names:
        raise invalid("the name of a column, or a list of names", value)
    return names


def param(name: str, doc: str, convert: Callable[[Any], Any]) -> Any:
    """Return a Param of a class."""
    return Param(Params._dummy(), name, doc, typeConverter=convert)


def option(name: str, doc: str = "") -> Any:
    """Return the Param that stands for an option of a recipe, with the option's help unless `doc` is given."""
    field = options_of(Recipe)[OPTIONS[name]]
    return param(name, doc or field.metadata["help"], partial(_plain, field.name))


def with_accessors(cls: C) -> C:
    """Add getX and setX for each Param that has none, and list all Params in the signature of the constructor."""
    names = [name for name in dir(cls) if isinstance(getattr(cls, name), Param)]
    for name in names:
        capital = name[0].upper() + name[1:]
        for prefix, make in (("get", _getter), ("set", _setter)):
            if not hasattr(cls, prefix + capital):
                setattr(cls, prefix + capital, make(name))
    for method in ("__init__", "setParams"):
        function = cls.__dict__.get(method)
        if function is not None:
            function.__signature__ = _signature(names)
    return cls


def _getter(name: str) -> Any:
    def get(self: Any) -> Any:
        return self.getOrDefault(name)

    get.__doc__ = f"Return the value of `{name}` or its default."
    return get


def _setter(name: str) -> Any:
    def set_(self: Any, value: Any) -> Any:
        return self._set(**{name: value})

    set_.__doc__ = f"Set `{name}`, and return the stage."
    return set_


def _signature(names: list[str]) -> inspect.Signature:
    itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    keywords = (inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None) for name in names)
    return inspect.Signature([itself, *keywords])


class NetworkParams(
    HasLabelCol,
    HasFeaturesCol,
    HasPredictionCol,
    HasSeed,
    HasMaxIter,
    HasTol,
    HasStepSize,
    HasBlockSize,
    HasWeightCol,
    HasValidationIndicatorCol,
):
    """The Params that classifiers and regressors share, estimators and models alike."""

    featuresCol = param(
        "featuresCol",
        "a column of vectors, of arrays of numbers or of bytes; or a list of names of columns of numbers and strings.",
        _features,
    )
    layers = param(
        "layers",
        "sizes of the layers, inputs first and classes last: [784, 100, 10]. Hidden layers are sigmoid, the output is "
        "softmax.",
        _sizes,
    )
    maxIter = param(
        "maxIter",
        "the largest number of accepted steps of l-bfgs, or of epochs with any other optimizer (>= 0).",
        partial(_checked, TypeConverters.toInt, Interval(int, 0)),
    )
    tol = param(
        "tol",
        "the convergence tolerance of the solver, as MultilayerPerceptronClassifier defines it (>= 0).",
        partial(_checked, TypeConverters.toFloat, NON_NEGATIVE),
    )
    stepSize = param(
        "stepSize",
        "the step of the solver gd, which is constant (> 0).",
        partial(_checked, TypeConverters.toFloat, Interval(float, 0, closed="neither")),
    )
    solver = param(
        "solver",
        "l-bfgs or gd (full-batch gradient descent); `optimizer` takes its place.",
        partial(_checked, TypeConverters.toString, OneOf(SOLVERS)),
    )
    blockSize = param(
        "blockSize",
        "kept for MultilayerPerceptronClassifier's code: rows that it stacks. It changes no result; blocks are cut by "
        "bytes. The rows of a mini-batch are `batchSize`.",
        partial(_checked, TypeConverters.toInt, AT_LEAST_ONE),
    )
    seed = param(
        "seed", "seed of all random numbers; the same seed gives the same model.", TypeConverters.toInt
    )
    initialWeights = param(
        "initialWeights",
        "the initial weights in one vector: W (inputs x units, row by row) and b of each layer.",
        TypeConverters.toVector,
    )
    recipe = param(
        "recipe",
        'the name of a recipe, such as "mlp", or the path of one: options of which each Param that is set takes the '
        "place.",
        TypeConverters.toString,
    )
    numPartitions = param(
        "numPartitions",
        "the partitions that rows are divided into before training; not set: those of the DataFrame.",
        partial(_checked, TypeConverters.toInt, AT_LEAST_ONE),
    )
    checkpointDir = param(
        "checkpointDir",
        "a folder on any file system for checkpoints; the same fit, interrupted and called again, goes on from its "
        "last one.",
        TypeConverters.toString,
    )
    checkpointInterval = param(
        "checkpointInterval",
        "epochs, or trials of l-bfgs, from one checkpoint to the next (>= 1).",
        partial(_checked, TypeConverters.toInt, AT_LEAST_ONE),
    )
    categoricalCols = param(
        "categoricalCols",
        "columns of numbers, of a list of names in featuresCol, that are categories; columns of strings always are.",
        TypeConverters.toListString,
    )
    layerSpec = option(
        "layerSpec",
        'instead of layers: all layers but the output\'s, as "dense:128,relu,dropout:0.2" or '
        '"conv2d:16x5,relu,maxpool2d:2,flatten".',
    )
    inputShape = option("inputShape")
    initializer = option("initializer")
    loss = option(
        "loss",
        "of classes: cross-entropy (a softmax; cross-entropy:smoothing=0.1 smooths the labels), binary-cross-entropy "
        "(one sigmoid for two classes) or mse (sigmoid outputs); of a regression: mse, absolute-error or huber:1. "
        "Default: cross-entropy, or mse.",
    )
    optimizer = option("optimizer", "instead of solver, as adam, momentum:0.8 or adamw:weight_decay=0.1.")
    learningRate = option("learningRate")
    schedule = option("schedule")
    warmup = option("warmup")
    clip = option("clip")
    averaging = option("averaging")
    roundsPerEpoch = option("roundsPerEpoch")
    epochsPerRound = option("epochsPerRound")
    outerLearningRate = option("outerLearningRate")
    outerMomentum = option("outerMomentum")
    batchSize = option("batchSize")
    sample = option("sample")
    l1 = option("l1")
    l2 = option("l2")
    validationFraction = option("validationFraction")
    patience = option("patience")
    averageWeights = option("averageWeights")
    scale = option(
        "scale",
        "of numbers: standard (mean 0, standard deviation 1 per column), minmax (0 to 1 per column), largest (all "
        "divided by the largest value) or none. Default: none for one column, as MultilayerPerceptronClassifier; for a "
        "list of names standard.",
    )
    missing = option("missing")
    unknown = option("unknown")
    maxCategories = option("maxCategories")
    augment = option("augment")
    startFrom = param(
        "startFrom",
        "the path of a trained model, a model file or a saved stage, whose weights and encoding training starts from. "
        "Without layers, layerSpec and recipe the network is the model's own.",
        TypeConverters.toString,
    )
    keepLayers = option("keepLayers")
    freeze = option("freeze")

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(seed=0, maxIter=100, tol=1e-6, blockSize=128, stepSize=0.03, solver=L_BFGS)
        self._setDefault(checkpointInterval=10)

    def _given(self, name: str) -> Any:
        """Return the value of a Param that is set, or None; None is as if it were not set."""
        return self._paramMap.get(self.getParam(name))

    def _value(self, name: str) -> Any:
        """Return the value of a Param, its default, or None."""
        given = self._given(name)
        return self._defaultParamMap.get(self.getParam(name)) if given is None else given


class ClassifierParams(NetworkParams):
    """The Params of classifiers beside NetworkParams."""

    thresholds = param(
        "thresholds",
        "the class with the largest p / t is predicted, where p is its probability and t its threshold; one for each "
        "class, all above 0 except that at most one may be 0.",
        _thresholds,
    )
    predictedLabelCol = param(
        "predictedLabelCol",
        'the column of the predicted label by name, as the labels\' StringIndexer has it; "": none.',
        TypeConverters.toString,
    )
    classWeights = option("classWeights")

    def __init__(self) -> None:
        super().__init__()
        self._setDefault(predictedLabelCol="")

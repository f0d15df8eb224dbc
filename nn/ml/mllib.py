"""Exchange models with Spark's MultilayerPerceptronClassificationModel."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from pyspark.ml.classification import (
    MultilayerPerceptronClassificationModel,
    MultilayerPerceptronClassifier,
)
from pyspark.ml.linalg import Vectors

from nn.core.errors import UsageError
from nn.ml.model import NeuralNetworkClassificationModel
from nn.models.perceptron import classifier_of, sizes_and_weights

SHARED = ("labelCol", "predictionCol", "probabilityCol", "rawPredictionCol")


def from_mllib(model: Any) -> NeuralNetworkClassificationModel:
    """Return a model of Spark's, or the one in the folder of this path, as one of ours, with its Params.

    Weights become float32: probabilities agree to 1e-5.
    """
    if isinstance(model, (str, os.PathLike)):
        model = MultilayerPerceptronClassificationModel.load(os.fspath(model))
    weights = np.asarray(model.weights.toArray(), np.float64)
    ours = NeuralNetworkClassificationModel.of(classifier_of(model.getLayers(), weights))
    for param in model.params:
        if model.isSet(param) and ours.hasParam(param.name):
            ours._set(**{param.name: model.getOrDefault(param)})
    return ours


def to_mllib(model: NeuralNetworkClassificationModel, spark: Any) -> MultilayerPerceptronClassificationModel:
    """Return one of our models as one of Spark's, which runs in the JVM alone. Scales are folded into its weights.

    Raises UsageError that names the layer, the loss or the column which it cannot have.
    """
    try:
        sizes, weights = sizes_and_weights(model.classifier)
    except ValueError as error:
        raise UsageError(f"to_mllib: {error}") from None
    columns = {name: model.getOrDefault(name) for name in SHARED}
    features = model.getOrDefault("featuresCol")
    if isinstance(features, str):
        columns["featuresCol"] = features
    perceptron = MultilayerPerceptronClassifier(
        layers=sizes, initialWeights=Vectors.dense(weights), maxIter=0, blockSize=1, **columns
    )
    if model.isSet("thresholds"):
        perceptron.setThresholds(model.getThresholds())
    row = (0.0, Vectors.dense(np.zeros(sizes[0])))
    names = [columns["labelCol"], perceptron.getFeaturesCol()]
    return perceptron.fit(spark.createDataFrame([row], names))

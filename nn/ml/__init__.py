"""Networks as stages of pyspark.ml: estimators and models for pipelines, tuners and evaluators."""

from nn.ml.estimator import NeuralNetworkClassifier, NeuralNetworkRegressor
from nn.ml.mllib import from_mllib, to_mllib
from nn.ml.model import NeuralNetworkClassificationModel, NeuralNetworkRegressionModel

__all__ = [
    "NeuralNetworkClassificationModel",
    "NeuralNetworkClassifier",
    "NeuralNetworkRegressionModel",
    "NeuralNetworkRegressor",
    "from_mllib",
    "to_mllib",
]

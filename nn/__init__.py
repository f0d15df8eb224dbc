"""Neural networks from scratch: NumPy for the numbers, Apache Spark for the machines.

Letters, everywhere the same: n rows, d features, k classes, L layers.
Inside a layer:    x (n, d) comes in, out goes out, dout = d loss / d out comes back, dx goes on; W, b, cache.
At network level:  inputs, labels, outputs, params, grads, state; `loss` is a sum over rows, `cost` the mean a row.

This import needs NumPy alone: a saved model predicts wherever Python runs.

    import nn
    classifier = nn.load("output/model.npz")        # nn.load("hdfs:///...", spark) with a session of Spark
    classifier.predict(images)          # (n,) class numbers

and a network trains on arrays in memory as it does on a cluster:

    classifier, history = nn.fit(images, labels, "mlp")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nn.io.onnx import to_onnx
    from nn.models.classifier import Classifier, Regressor
    from nn.models.model_file import save
    from nn.models.sequential import Sequential
    from nn.training.local import fit
    from nn.training.recipe import Recipe

__version__ = "0.2.0"

__all__ = ["Classifier", "Recipe", "Regressor", "Sequential", "__version__", "fit", "load", "save", "to_onnx"]

_MODULES = {
    "Classifier": "nn.models.classifier",
    "Recipe": "nn.training.recipe",
    "Regressor": "nn.models.classifier",
    "Sequential": "nn.models.sequential",
    "fit": "nn.training.local",
    "save": "nn.models.model_file",
    "to_onnx": "nn.io.onnx",
}


def load(path: Any, spark: Any = None) -> Any:
    """Read a model file: a Classifier or a Regressor. Without a session of Spark, it is a local file.

    spark: a session, which reads paths of its file systems, such as hdfs:// and gs://. Raises DataError, with the path,
    if there is no such file, it is not a model, or its arrays do not fit its layers.
    """
    if spark is None:
        return import_module("nn.models.classifier").load(path)
    return import_module("nn.spark.models").load(path, spark)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that a program pays for no more than it uses."""
    if name not in _MODULES:
        raise AttributeError(f"module 'nn' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

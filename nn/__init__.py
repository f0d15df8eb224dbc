"""Neural networks from scratch: NumPy for the numbers, Apache Spark for the machines.

Letters, everywhere the same: n rows, d features, k classes, L layers.
Inside a layer:    x (n, d) comes in, out goes out, dout = d loss / d out comes back, dx goes on; W, b, cache.
At network level:  inputs, labels, outputs, params, grads, state; `loss` is a sum over rows, `cost` the mean a row.

This import needs NumPy alone: a saved model predicts wherever Python runs.

    import nn
    classifier = nn.load("output/model.npz")
    classifier.predict(images)          # (n,) class numbers

and a network trains on arrays in memory as it does on a cluster:

    classifier, history = nn.fit(images, labels, nn.Recipe.read("recipes/mlp.json"))
"""

from nn.classifier import Classifier, load
from nn.local import fit
from nn.model import Sequential
from nn.modelfile import save
from nn.recipe import Recipe

__version__ = "0.1.0"

__all__ = ["Classifier", "Recipe", "Sequential", "__version__", "fit", "load", "save"]

"""A network in one call."""

from nn.core import spec
from nn.data.encoding import SharedScale
from nn.models.builder import build_network, perceptron_layers
from nn.models.losses import LOSSES


def multilayer_perceptron(width, classes, hidden, activation, loss, scale=1.0):
    """Width -> hidden... -> classes, with an activation after each hidden layer."""
    layers = perceptron_layers(hidden, activation)
    return build_network(layers, (width,), classes, spec.parse(loss, LOSSES, "loss"), SharedScale(scale))

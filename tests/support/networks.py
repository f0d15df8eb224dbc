"""A network in one call."""

from nn.core import spec
from nn.data.encoding import SharedScale
from nn.models.builder import build_network, perceptron_layers
from nn.models.losses import LOSSES
from nn.training.backend import NO_LABELS, Facts


def multilayer_perceptron(width, classes, hidden, activation, loss, scale=1.0):
    """Width -> hidden... -> classes, with an activation after each hidden layer."""
    layers = perceptron_layers(hidden, activation)
    return build_network(layers, (width,), classes, spec.parse(loss, LOSSES, "loss"), SharedScale(scale))


def pixels(width, classes, scale=1.0):
    """The facts of rows of pixels, of which nothing but their shape is known."""
    return Facts(width, NO_LABELS, classes, scale, are_pixels=True).unscaled()

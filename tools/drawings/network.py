"""The 2-2-1 network of docs/tutorial/1-by-hand.md with its values: forward, and the gradients backward."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from nn.plotting.style import DARK, MIDDLE, PALE, QUIET, bare, canvas

X, Y = np.array([1.0, 2.0]), 1.0
W1, B1 = np.array([[2.0, 4.0], [-1.0, -2.0]]), np.zeros(2)
W2, B2 = np.array([4.0, -4.0]), 0.0

# The middle of each node, in the units of the axes.
INPUTS = ((0.0, 2.0), (0.0, 0.0))
HIDDEN = ((3.2, 2.0), (3.2, 0.0))
OUTPUT, COST = (6.4, 1.0), (9.5, 1.0)
RADIUS = 0.5


class Values(NamedTuple):
    """All values of one forward and one backward pass."""

    z1: np.ndarray  # (2,)
    h: np.ndarray  # (2,)
    z2: float
    o: float
    cost: float
    error: float
    delta2: float
    grad2: np.ndarray  # (2,)
    delta1: np.ndarray  # (2,)
    grad1: np.ndarray  # (2, 2)


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


def values() -> Values:
    """Send the one row through the network and back."""
    z1 = X @ W1 + B1
    h = sigmoid(z1)
    z2 = h @ W2 + B2
    o = sigmoid(z2)
    error = o - Y
    delta2 = error * o * (1 - o)
    delta1 = delta2 * W2 * h * (1 - h)
    grads = delta2 * h, delta1, np.outer(X, delta1)
    return Values(z1, h, float(z2), float(o), float(error**2 / 2), float(error), float(delta2), *grads)


def forward_picture() -> Figure:
    """Draw the weights on the edges, and what each unit receives and gives."""
    found = values()
    figure, axes = _axes("Forward: from the inputs to the cost")
    for place, x in zip(INPUTS, X, strict=True):
        _node(axes, place, f"{x:g}", PALE)
    for unit, place in enumerate(HIDDEN):
        _node(axes, place, f"z = {found.z1[unit]:g}\nh = {found.h[unit]:g}", PALE)
    _node(axes, OUTPUT, f"z = {found.z2:g}\no = {found.o:g}", PALE)
    _node(axes, COST, f"{found.cost:g}", "white")
    for start, row in zip(INPUTS, W1, strict=True):
        for end, weight in zip(HIDDEN, row, strict=True):
            _edge(axes, start, end, f"{weight:g}", DARK)
    for start, weight in zip(HIDDEN, W2, strict=True):
        _edge(axes, start, OUTPUT, f"{weight:g}", DARK)
    _edge(axes, OUTPUT, COST, f"y = {Y:g}", QUIET, at=0.45)
    _names(axes)
    return figure


def backward_picture() -> Figure:
    """Draw the gradient of each weight on its edge, and δ in each unit."""
    found = values()
    figure, axes = _axes("Backward: from the cost to the gradients")
    for place, x in zip(INPUTS, X, strict=True):
        _node(axes, place, f"{x:g}", "white")
    for unit, place in enumerate(HIDDEN):
        _node(axes, place, f"δ₁ =\n{found.delta1[unit]:g}", "#fbe3cd")
    _node(axes, OUTPUT, f"δ₂ =\n{found.delta2:g}", "#fbe3cd")
    _node(axes, COST, f"{found.cost:g}", "white")
    for start, row in zip(INPUTS, found.grad1, strict=True):
        for end, gradient in zip(HIDDEN, row, strict=True):
            _edge(axes, end, start, f"{gradient:g}", MIDDLE)
    for start, gradient in zip(HIDDEN, found.grad2, strict=True):
        _edge(axes, OUTPUT, start, f"{gradient:g}", MIDDLE)
    _edge(axes, COST, OUTPUT, f"o − y = {found.error:g}", MIDDLE, at=0.45)
    _names(axes)
    return figure


def _axes(title: str) -> tuple[Figure, Axes]:
    figure, axes = canvas(9.5, 4.2)
    bare(axes)
    axes.set(xlim=(-0.8, 10.2), ylim=(-0.75, 3.2), aspect="equal")
    axes.set_title(title, loc="left", fontsize=14, fontweight="bold")
    return figure, axes


def _names(axes: Axes) -> None:
    places = (INPUTS[0], "inputs x"), (HIDDEN[0], "hidden layer"), (OUTPUT, "output"), (COST, "cost")
    for (x, _), name in places:
        axes.text(x, 2.85, name, ha="center", color=QUIET)


def _node(axes: Axes, place: tuple[float, float], text: str, color: str) -> None:
    axes.add_patch(Circle(place, RADIUS, facecolor=color, edgecolor=DARK, linewidth=1.3, zorder=2))
    axes.text(*place, text.replace("-", "−"), ha="center", va="center", zorder=3, fontsize=10)


def _edge(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], text: str, color: str, at: float = 0.3
) -> None:
    """Draw an arrow, and its text nearer to its start, where no two arrows cross."""
    a, b = np.array(start), np.array(end)
    way = (b - a) / np.hypot(*(b - a))
    axes.annotate(
        "",
        xy=tuple(b - RADIUS * way),
        xytext=tuple(a + RADIUS * way),
        arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0},
    )
    x, y = a + (RADIUS + at * (np.hypot(*(b - a)) - 2 * RADIUS)) * way
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2}
    axes.text(
        x, y, text.replace("-", "−"), ha="center", va="center", color=color, bbox=box, zorder=3, fontsize=10.5
    )

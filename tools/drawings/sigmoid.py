"""The sigmoid function and its derivative."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from nn.layers import Sigmoid
from nn.plotting.style import DARK, MIDDLE, canvas


def picture() -> Figure:
    """Draw both curves, computed by the layer of this project."""
    figure, axes = canvas(8.0, 4.0)
    z = np.linspace(-8, 8, 321)
    out, cache = Sigmoid().forward({}, z[:, None])
    _, slope = Sigmoid().backward({}, cache, np.ones_like(out))
    assert slope is not None
    axes.plot(z, out[:, 0], color=DARK, linewidth=2)
    axes.plot(z, slope[:, 0], color=MIDDLE, linewidth=2)
    axes.text(3.2, 0.84, "σ(z)", color=DARK, fontsize=13)
    axes.text(1.3, 0.24, "σ'(z) = σ(z) (1 − σ(z)), at most 0.25", color=MIDDLE, fontsize=11)
    axes.plot([0, 0], [0.5, 0.25], "o", color="#1c2329", markersize=5)
    axes.set(xlabel="z", yticks=[0, 0.25, 0.5, 0.75, 1], xlim=(-8, 8), ylim=(-0.02, 1.03))
    axes.grid(axis="y")
    axes.set_title("The sigmoid and its derivative", loc="left", fontsize=14, fontweight="bold")
    return figure

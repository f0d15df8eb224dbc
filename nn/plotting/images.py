"""Draw test images with their predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from nn.plotting.labels import class_labels, percent
from nn.plotting.results import Examples
from nn.plotting.shapes import Shape
from nn.plotting.style import QUIET, bare, canvas, heading

MOST_ROWS = 5
WRONG = "#a11d00"


def samples_figure(examples: Examples, shape: Shape, names: Sequence[str] | None, about: str) -> Figure:
    """Draw test images with the prediction above each; mark mistakes with a cross, a thick frame and the true class."""
    labels = class_labels(names, examples.classes, limit=11)
    columns = 8 if max(map(len, labels)) <= 5 else 6  # a longer name needs a wider image under it
    shown = min(len(examples.labels), columns * MOST_ROWS)
    wrong = examples.labels != examples.predictions
    rows, step = math.ceil(shown / columns), shape[0] / shape[1] + 0.44
    figure, axes = canvas(10.0, 1.2 + 9.8 / (1.1 * columns) * rows * step)
    for i, image in enumerate(_as_images(examples.inputs[:shown], shape)):
        left, top = i % columns * 1.1, i // columns * step
        _tile(axes, image, left, top)
        _frame(axes, left, top, shape, bool(wrong[i]))
        truth, prediction = labels[examples.labels[i]], labels[examples.predictions[i]]
        _caption(axes, left, top, prediction, truth if wrong[i] else "", examples.probabilities[i])
    axes.set_xlim(-0.02, columns * 1.1 - 0.08)
    axes.set_ylim(rows * step - 0.38, -0.42)
    bare(axes)
    heading(axes, "Test images and their predictions", about)
    figure.supxlabel(_samples_key(int(wrong[:shown].sum()), shown), fontsize=10.5, color=QUIET)
    return figure


def _samples_key(mistakes: int, shown: int) -> str:
    are = "is a mistake" if mistakes == 1 else "are mistakes"
    return (
        f"{mistakes} of these {shown} {are}, which are chosen first: ✗, a thick frame, the truth "
        "in the second line.\nAt the right the probability that the network gave its prediction."
    )


def _as_images(inputs: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """Return (n, d) as images (n, h, w[, 3]), scaled together to 0..1."""
    low, high = inputs.min(), inputs.max()
    return ((inputs - low) / ((high - low) or 1.0)).reshape(-1, *shape)


def _tile(axes: Axes, image: NDArray[np.float64], left: float, top: float) -> None:
    height = image.shape[0] / image.shape[1]
    # Dark on white: printed, white digits on black would take much toner.
    axes.imshow(
        image,
        cmap="gray_r",
        vmin=0,
        vmax=1,
        extent=(left, left + 1, top + height, top),
        interpolation="nearest",
    )


def _frame(axes: Axes, left: float, top: float, shape: Shape, wrong: bool) -> None:
    style: dict[str, Any] = (
        {"edgecolor": WRONG, "linewidth": 3.0} if wrong else {"edgecolor": "#9aa3ab", "linewidth": 0.7}
    )
    axes.add_patch(Rectangle((left, top), 1, shape[0] / shape[1], fill=False, **style))


def _caption(axes: Axes, left: float, top: float, prediction: str, truth: str, probability: float) -> None:
    style: dict[str, Any] = {"fontsize": 9.5, "color": "black"}
    if truth:
        style |= {"color": WRONG, "fontweight": "bold"}
        axes.text(left, top - 0.06, f"is {truth}", **style)
    first = top - (0.22 if truth else 0.06)
    axes.text(left, first, f"{'✗' if truth else '✓'} {prediction}", **style)
    if 0 <= probability <= 1:
        axes.text(left + 1, first, percent(probability, 0), fontsize=8.5, color=QUIET, ha="right")

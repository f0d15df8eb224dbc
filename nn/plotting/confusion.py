"""Draw the confusion matrix: the test rows of each true class (row) by predicted class (column)."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from nn.plotting.labels import class_labels
from nn.plotting.style import PART, QUIET, SLANTED, canvas, heading

MOST_NUMBERED = 20  # classes, up to which counts are written in the cells
MOST_SEEN = 150  # classes, up to which a single pale cell can be seen
MOST_ENLARGED = 20_000  # cells; more of them would only cover each other
MOST_NAMED = 40  # classes, up to which each line and column is named
NAMED_MISTAKES = 3
MATRIX_INCHES = 7.0
NO_BREAK = "\u00a0"  # the space at which no line is broken


def confusion_figure(counts: NDArray[np.int64], names: Sequence[str] | None, about: str) -> Figure:
    """Draw counts (k, k), rows the true classes; shaded by row, so that rare classes are readable too."""
    rows = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, rows, out=np.zeros(counts.shape), where=rows > 0)
    figure, axes = canvas(10.0, 9.2)
    # The square root: one error in a hundred can be seen beside 99 % right.
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    axes.set_anchor("N")
    if len(counts) > MOST_SEEN:
        _enlarge_cells(axes, shares)
        about += f"{PART}cells drawn larger than they are"
    _class_axes(axes, class_labels(names, len(counts), limit=14))
    _write_counts(axes, counts, shares)
    bar = figure.colorbar(
        image, ax=axes, panchor=False, shrink=0.75, ticks=[0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1]
    )
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    bar.set_label("share of the true class's rows (square-root shading)")
    bar.ax.spines["outline"].set_visible(False)
    axes.set_xlabel("predicted class")
    figure.supxlabel(_worst_mistakes(counts, names), fontsize=10.5, color=QUIET)
    axes.set_ylabel("true class")
    axes.spines[:].set_visible(False)
    heading(axes, "Confusion matrix", about)
    return figure


def _class_axes(axes: Axes, labels: list[str]) -> None:
    k = len(labels)
    if k > MOST_NAMED:
        ticks = np.arange(0, k, _tick_step(k))
        axes.set_xticks(ticks)
        axes.set_yticks(ticks)
        return
    size = float(np.clip(320 / k, 7.5, 11))
    wide = max(map(len, labels)) * k * size * 0.62 > MATRIX_INCHES * 72
    style: dict[str, Any] = SLANTED if wide else {}
    axes.set_xticks(range(k), labels, fontsize=size, **style)
    axes.set_yticks(range(k), labels, fontsize=size)
    axes.tick_params(length=0)


def _tick_step(k: int) -> int:
    """Return 1, 2 or 5 times a power of ten, for at most about 20 ticks."""
    return next(step for step in (5, 10, 20, 50, 100, 200, 500, 10**9) if k / step <= 20)


def _write_counts(axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    """Write the counts above zero in the cells, if they fit."""
    k, digits = len(counts), len(str(counts.max()))
    size = min(13.0, 0.8 * MATRIX_INCHES * 72 / k / (0.65 * digits))
    if k > MOST_NUMBERED or size < 5:
        return
    for truth, prediction in np.argwhere(counts > 0):
        dark = np.sqrt(shares[truth, prediction]) > 0.55
        weight = "bold" if truth == prediction else "normal"
        style: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "fontsize": size,
            "color": "white" if dark else "black",
        }
        axes.text(prediction, truth, str(counts[truth, prediction]), fontweight=weight, **style)


def _enlarge_cells(axes: Axes, shares: NDArray[np.float64]) -> None:
    """Draw the fullest cells as squares of three or four pixels; the picture has hardly one pixel for each cell."""
    fullest = np.argsort(shares, axis=None, kind="stable")[-MOST_ENLARGED:]
    truths, predictions = np.unravel_index(fullest[shares.flat[fullest] > 0], shares.shape)
    colors = shares[truths, predictions]
    axes.scatter(
        predictions,
        truths,
        c=colors,
        s=2.5,
        marker="s",
        linewidths=0,
        cmap="Blues",
        norm=PowerNorm(0.5, 0, 1),
        rasterized=True,
    )


def _worst_mistakes(counts: NDArray[np.int64], names: Sequence[str] | None) -> str:
    """Return 'Most frequent mistakes: 4 taken for 9 (31×), ...'."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    worst = np.argsort(-wrong, axis=None, kind="stable")[:NAMED_MISTAKES]
    labels = class_labels(names, len(counts), limit=10)
    named = []
    for truth, prediction in zip(*np.unravel_index(worst, wrong.shape), strict=True):
        times = wrong[truth, prediction]
        if times:
            mistake = f"{labels[truth]} taken for {labels[prediction]} ({times}×)"
            named.append(mistake.replace(" ", NO_BREAK))
    return (
        fill("Most frequent mistakes: " + ", ".join(named), 105, break_on_hyphens=False)
        if named
        else "No mistakes"
    )

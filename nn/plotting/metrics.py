"""Draw precision, recall and F1 of each class as bars; of many classes their distribution, and the lowest as bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from nn.plotting.labels import class_labels, percent
from nn.plotting.results import Scores
from nn.plotting.style import DARK, MIDDLE, PALE, PART, QUIET, SLANTED, canvas, heading, legend_below

MOST_BARS = 25  # classes, up to which each has bars
MOST_WRITTEN = 12  # classes, up to which bars are wide enough for a number inside
WEAKEST = 20

NAMES = {"precision": "precision", "recall": "recall", "f1": "F1"}
BARS = {
    "precision": (DARK, "white"),
    "recall": (PALE, "black"),
    "f1": (MIDDLE, "black"),
}  # bar, number inside
LINES = {"precision": (DARK, "-"), "recall": (QUIET, "--"), "f1": (MIDDLE, "-.")}


def metrics_figure(scores: Scores, names: Sequence[str] | None, about: str) -> Figure:
    """Draw all classes as bars if they fit, or else the distribution of the scores and the lowest classes as bars."""
    k = len(scores.f1)
    labels = class_labels(names, k, limit=14)
    means = ", ".join(f"{NAMES[kind]} {percent(scores.macro[kind])}" for kind in NAMES)
    about = PART.join(filter(None, (about, f"means over the classes: {means}")))
    if k > MOST_BARS:
        return _spread_and_weakest(scores, labels, about)
    figure, axes = canvas()
    _bars(axes, scores, np.arange(k), labels)
    heading(axes, "Test scores by class", about)
    legend_below(figure, axes)
    return figure


def _spread_and_weakest(scores: Scores, labels: list[str], about: str) -> Figure:
    figure, upper = canvas(10.0, 9.6, rows=2)
    lower = figure.axes[1]
    _spread(upper, scores)
    heading(upper, "Test scores by class", about)
    k = len(labels)
    weakest = np.argsort(scores.f1, kind="stable")[: min(WEAKEST, k // 2)]
    _bars(lower, scores, weakest, labels)
    heading(lower, "The weakest classes", f"the {len(weakest)} with the lowest F1 of {k}")
    legend_below(figure, lower)
    return figure


def _spread(axes: Axes, scores: Scores) -> None:
    """Draw the classes' values of each score in ascending order."""
    k = len(scores.f1)
    for kind, (color, line) in LINES.items():
        values = np.sort(getattr(scores, kind))
        axes.plot(np.arange(1, k + 1), values, line, color=color, linewidth=2, label=NAMES[kind])
    axes.set_xlim(0.5, k + 0.5)
    axes.set_xlabel(f"classes, each score sorted from its lowest (1) to its highest ({k})")
    axes.legend(loc="lower right", fontsize=10.5)
    _share_axis(axes)


def _bars(axes: Axes, scores: Scores, classes: NDArray[np.int64], labels: list[str]) -> None:
    width = 0.8 / len(BARS)
    for i, (kind, (color, ink)) in enumerate(BARS.items()):
        values = getattr(scores, kind)[classes]
        positions = np.arange(len(classes)) + (i - 1) * width
        axes.bar(positions, values, width, label=NAMES[kind], color=color, edgecolor="white", linewidth=0.8)
        if len(classes) <= MOST_WRITTEN:
            _write_values(axes, positions, values, ink)
    shown = [labels[c] for c in classes]
    wide = max(map(len, shown)) * len(shown) * 7 > 9 * 72
    style: dict[str, Any] = SLANTED if wide else {}
    axes.set_xticks(range(len(shown)), shown, **style)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, len(shown) - 0.4)
    axes.set_xlabel("class")
    _share_axis(axes)


def _write_values(axes: Axes, positions: NDArray[Any], values: NDArray[Any], ink: str) -> None:
    """Write values vertically inside the top of the bars, or above bars that are too short."""
    for x, value in zip(positions, values, strict=True):
        inside = value > 0.12
        axes.annotate(
            f"{100 * value:.1f}",
            (x, value),
            xytext=(0, -4 if inside else 4),
            textcoords="offset points",
            rotation=90,
            ha="center",
            va="top" if inside else "bottom",
            fontsize=9.5,
            color=ink if inside else "black",
        )


def _share_axis(axes: Axes) -> None:
    axes.grid(axis="y")
    axes.set_ylim(0, 1.01)
    axes.set_yticks(np.arange(0, 1.01, 0.2))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.set_ylabel("score on the test rows")

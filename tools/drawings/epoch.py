"""One epoch on Spark: what the driver does, what the executors do, and what travels between them."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from nn.plotting.style import DARK, MIDDLE, QUIET, bare, canvas

STAGES = ("select", "forward, layer by layer", "loss and gradient", "backward, layer by layer", "sums")
TASKS = 4


def picture() -> Figure:
    """Draw the driver on the left, two executors with two partitions each on the right."""
    figure, axes = canvas(11.0, 7.2)
    bare(axes)
    axes.set(xlim=(0, 11), ylim=(0, 7.0))
    axes.set_title("One epoch on Spark: one job", loc="left", fontsize=14, fontweight="bold")
    _driver(axes)
    for number in range(2):
        _executor(axes, number)
    _arrow(axes, (2.65, 5.55), (3.75, 5.55), DARK)
    axes.text(3.2, 5.68, "2", ha="center", color=DARK, fontweight="bold", fontsize=13)
    axes.text(3.2, 5.3, "parameters\n(broadcast)", ha="center", va="top", color=DARK, fontsize=9.5)
    _arrow(axes, (3.75, 1.6), (2.65, 1.6), MIDDLE)
    axes.text(3.2, 1.73, "5", ha="center", color=MIDDLE, fontweight="bold", fontsize=13)
    axes.text(3.2, 1.35, "sums,\none for each\npartition", ha="center", va="top", color=MIDDLE, fontsize=9.5)
    return figure


def _driver(axes: Axes) -> None:
    _box(axes, (0.1, 0.2), (2.5, 6.6), "#f4f6f8", QUIET)
    axes.text(1.35, 6.45, "driver", ha="center", fontweight="bold", fontsize=12)
    axes.text(1.35, 6.12, "your Python program", ha="center", color=QUIET, fontsize=9.5)
    steps = (
        (5.55, "1", "ask: which parameters\nare measured next?", DARK),
        (3.9, "", "the job runs", QUIET),
        (1.75, "6", "add the sums in the\norder of the partitions,\ndivide by the rows: mean", MIDDLE),
        (0.75, "7", "take one step,\nwrite the history", MIDDLE),
    )
    for y, number, text, color in steps:
        axes.text(0.3, y, number, va="center", color=color, fontweight="bold", fontsize=13)
        axes.text(0.6, y, text, va="center", fontsize=9.5, color="#1c2329" if number else QUIET)


def _executor(axes: Axes, number: int) -> None:
    left = 3.85 + number * 3.6
    _box(axes, (left, 0.2), (3.4, 6.6), "#f4f6f8", QUIET)
    axes.text(left + 1.7, 6.45, f"executor {number + 1}", ha="center", fontweight="bold", fontsize=12)
    axes.text(left + 1.7, 6.12, "keeps its partitions in memory", ha="center", color=QUIET, fontsize=9.5)
    for slot in range(TASKS // 2):
        _task(axes, left + 0.12 + slot * 1.63, number * (TASKS // 2) + slot)


def _task(axes: Axes, left: float, number: int) -> None:
    middle = left + 0.76
    _box(axes, (left, 0.35), (1.53, 5.55), "white", DARK)
    axes.text(middle, 5.62, f"task {number + 1}", ha="center", fontsize=10, fontweight="bold", color=DARK)
    _box(axes, (left + 0.08, 4.55), (1.37, 0.85), "#dbe8f5", DARK)
    axes.text(middle, 4.97, f"partition {number + 1}\nblocks of rows", ha="center", va="center", fontsize=9)
    axes.text(middle, 4.27, "3   map stages", ha="center", va="center", fontsize=8.5, color=DARK)
    for row, stage in enumerate(STAGES):
        y = 3.87 - 0.56 * row
        axes.text(middle, y, stage.replace(", ", ",\n"), ha="center", va="center", fontsize=8.5)
        if row:
            _arrow(axes, (middle, y + 0.40), (middle, y + 0.18), QUIET)
    axes.text(
        middle, 1.05, "4   add the sums\nof the blocks", ha="center", va="center", fontsize=8.5, color=MIDDLE
    )


def _box(axes: Axes, corner: tuple[float, float], size: tuple[float, float], face: str, edge: str) -> None:
    shape: Any = FancyBboxPatch(
        corner, *size, boxstyle="round,pad=0,rounding_size=0.08", facecolor=face, edgecolor=edge
    )
    axes.add_patch(shape)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    axes.annotate(
        "", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.8}
    )

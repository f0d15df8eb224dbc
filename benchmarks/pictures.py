"""Results as pictures in docs/benchmarks/, in the look of nn/plotting/style.py.

A contestant has one color everywhere; a dashed line takes one step per epoch from all rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from contestants import (
    ACCURACY,
    ALL_ROWS,
    BATCHES,
    CONTESTANTS,
    HIDDEN,
    LARGER,
    OTHER,
    PARTITIONS,
    ROWS,
    STANDARD,
    Contestant,
)
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from runs import Results, course, median
from sections import LEVELS
from tables import STEPS, seconds

from nn.plotting.style import DARK, MIDDLE, PALE, QUIET, SECOND, canvas, heading, legend_below

COLORS = {
    "numpy_limit": QUIET,
    "nn_spark": DARK,
    "torch_process": MIDDLE,
    "jax_scan": "#2a7f62",
    "torch_distributor": "#c9a227",
    "sklearn_mlp": SECOND,
    "spark_mlp": "#8c2d6b",
    "per_record": PALE,
}
STROKES: dict[str, tuple[Any, str]] = {
    BATCHES: ("-", "o"),
    LARGER: ((0, (5, 1.5, 1, 1.5)), "o"),
    ALL_ROWS: ((0, (5, 2)), "o"),
    OTHER: ("-", "s"),
}
GROUND = "#e8ebee"  # lines that lead to a dot


def _taking_part(results: Results, section: str) -> list[Contestant]:
    return [each for each in CONTESTANTS if section in each.sections and results.of(each.name)]


def _line(contestant: Contestant) -> dict[str, Any]:
    """Color, stroke and dots; dots are hollow on dashed lines, which tells them apart in a legend too."""
    stroke, dot = STROKES[contestant.step]
    color = COLORS[contestant.peer]
    return {
        "color": color,
        "linestyle": stroke,
        "linewidth": 2,
        "marker": dot,
        "markerfacecolor": "white" if contestant.step == ALL_ROWS else color,
        "label": contestant.name,
    }


def speed(results: Results) -> Figure:
    """Seconds per epoch as dots on a log axis, a group for each kind of step."""
    mine = [each for each in _taking_part(results, STANDARD) if not math.isnan(_epoch(results, each.name))]
    values = [_epoch(results, contestant.name) for contestant in mine]
    heights = _heights(mine)
    figure, axes = canvas(height=1.6 + 0.38 * (heights[0] + 1))
    left, right = min(values) / 2, max(values) * 3
    axes.hlines(heights, left, values, color=GROUND, linewidth=6)
    for contestant, value, place in zip(mine, values, heights, strict=True):
        axes.plot(value, place, "o", color=COLORS[contestant.peer], markersize=10)
        words: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 9.5}
        axes.annotate(seconds(value), (value, place), (9, 0), **words)
    axes.set(xscale="log", xlim=(left, right), xlabel="seconds for all training rows once, log scale")
    axes.set_yticks(heights, [contestant.name for contestant in mine])
    axes.tick_params(axis="y", length=0)
    _plain_log(axes.xaxis)
    heading(axes, "Seconds per epoch", f"784-64-10; from above: {', '.join(_steps(mine))}")
    return figure


def _heights(mine: list[Contestant]) -> list[float]:
    """Heights from above down to 0, with room between the kinds of step."""
    heights = [0.0]
    for above, below in zip(reversed(mine[:-1]), reversed(mine), strict=False):
        heights.append(heights[-1] + (1.0 if above.step == below.step else 1.7))
    return heights[::-1]


def _steps(mine: list[Contestant]) -> list[str]:
    """What the kinds of step are called, in order."""
    return list(dict.fromkeys(STEPS[contestant.step][0] for contestant in mine))


def _epoch(results: Results, name: str, **setting: int) -> float:
    return median(results.seconds(name, **setting).values())


COURSES = "medians over seeds; a dot is an epoch, a square an iteration of L-BFGS or a fit of some"


def accuracy(results: Results) -> Figure:
    """Share of the test rows wrong over seconds of training, medians over seeds; a panel for each network."""
    networks = results.values(HIDDEN)
    figure, _ = canvas(height=0.6 + 4.6 * len(networks), rows=len(networks))
    for axes, units in zip(figure.axes, networks, strict=True):
        for contestant in _taking_part(results, ACCURACY):
            passed, accuracies = course(results.of(contestant.name, hidden=units))
            if passed:
                wrong = [100 * (1 - each) for each in accuracies]
                axes.plot(passed, wrong, markersize=3, **_line(contestant))
        for level in LEVELS:
            axes.axhline(100 * (1 - level), color=QUIET, linewidth=0.8, linestyle=":")
        axes.set(
            xscale="log", yscale="log", xlabel="seconds of training, log scale", ylabel="test rows wrong, %"
        )
        axes.set_ylim(top=12)
        _plain_log(axes.xaxis)
        axes.yaxis.set_major_locator(FixedLocator([1, 2, 3, 5, 10]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        heading(axes, f"Time to accuracy, {units} hidden units", COURSES)
    legend_below(figure, figure.axes[0])
    return figure


def growth(section: str, title: str, label: str) -> Callable[[Results], Figure]:
    """Seconds per epoch over the setting that grows, both on log scales."""

    def draw(results: Results) -> Figure:
        figure, axes = canvas()
        values = results.values(section)
        for contestant in _taking_part(results, section):
            points = [(value, _epoch(results, contestant.name, **{section: value})) for value in values]
            points = [(x, y) for x, y in points if math.isfinite(y)]
            axes.plot([x for x, _ in points], [y for _, y in points], markersize=6, **_line(contestant))
        axes.set(
            xscale="log", yscale="log", xlabel=f"{label}, log scale", ylabel="seconds per epoch, log scale"
        )
        axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        _plain_log(axes.yaxis)
        axes.grid(True)
        heading(axes, title, "dashed: one step per epoch from all rows")
        legend_below(figure, axes)
        return figure

    return draw


def _plain_log(axis: Any) -> None:
    """Ticks at 1, 2 and 5, in plain numbers."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


PICTURES: dict[str, tuple[str, Callable[[Results], Figure]]] = {
    "speed": (STANDARD, speed),
    "accuracy": (ACCURACY, accuracy),
    "rows": (ROWS, growth(ROWS, "As rows grow", "times MNIST's 60,000 rows")),
    "hidden": (HIDDEN, growth(HIDDEN, "As hidden units grow", "hidden units")),
    "partitions": (PARTITIONS, growth(PARTITIONS, "As partitions grow", "partitions")),
}

DESCRIPTIONS = {  # of the pictures, for whoever cannot see them
    "speed": "Seconds per epoch of each program",
    "accuracy": "Test accuracy over seconds of training, for each program",
    "rows": "Seconds per epoch as the number of rows grows",
    "hidden": "Seconds per epoch as the number of hidden units grows",
    "partitions": "Seconds per epoch as the number of partitions grows",
}

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
    CONTESTANTS,
    HIDDEN,
    PARTITIONS,
    ROWS,
    STANDARD,
    Contestant,
)
from line_labels import label_ends
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator
from runs import Results, median, reached
from tables import STEPS, seconds

from nn.plotting.style import DARK, MIDDLE, PALE, QUIET, SECOND, canvas, heading

COLORS = {
    "numpy_limit": QUIET,
    "nn_spark": DARK,
    "torch_process": MIDDLE,
    "jax_scan": "#2a7f62",
    "keras_jax": "#a33b3b",
    "torch_distributor": "#c9a227",
    "sklearn_mlp": SECOND,
    "spark_mlp": "#8c2d6b",
    "per_record": PALE,
}
DASHED = (0, (5, 2))
GROUND = "#e8ebee"  # lines that lead to a dot


def _taking_part(results: Results, section: str) -> list[Contestant]:
    return [each for each in CONTESTANTS if section in each.sections and results.of(each.name)]


def _line(contestant: Contestant) -> dict[str, Any]:
    """Color, stroke and dots; dots are hollow on dashed lines."""
    color, is_dashed = COLORS[contestant.peer], contestant.step == ALL_ROWS
    return {
        "color": color,
        "linestyle": DASHED if is_dashed else "-",
        "linewidth": 2,
        "marker": "o",
        "markerfacecolor": "white" if is_dashed else color,
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


SHOWN = (0.95, 0.97)  # accuracies; the dot of the first is hollow


def accuracy(results: Results) -> Figure:
    """Seconds of training to each accuracy of `SHOWN`, medians over seeds, as dots on a log axis."""
    networks = results.values(HIDDEN)
    mine = _taking_part(results, ACCURACY)
    heights = _heights(mine)
    figure, _ = canvas(height=0.4 + (1.4 + 0.38 * heights[0]) * len(networks), rows=len(networks))
    for axes, units in zip(figure.axes, networks, strict=True):
        for contestant, place in zip(mine, heights, strict=True):
            _times_to(axes, contestant, place, results.of(contestant.name, hidden=units))
        axes.set(xscale="log", xlabel="seconds of training, log scale")
        axes.margins(x=0.12)
        axes.set_yticks(heights, [contestant.name for contestant in mine])
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        _plain_log(axes.xaxis)
        levels = [f"{100 * level:g} %" for level in SHOWN]
        heading(
            axes,
            f"Time to {' and '.join(levels)} of the test rows, {units} hidden units",
            f"hollow: {levels[0]}; filled: {levels[1]}; medians over seeds; no dot: never reached",
        )
    return figure


def _times_to(axes: Any, contestant: Contestant, place: float, answers: list[dict[str, Any]]) -> None:
    """A dot for each accuracy that was reached, joined by a bar; the last one has its seconds beside it."""
    times = [reached(answers, level).seconds for level in SHOWN]
    known = [time for time in times if math.isfinite(time)]
    if not known:
        return
    color = COLORS[contestant.peer]
    axes.hlines(place, known[0], known[-1], color=GROUND, linewidth=6, zorder=1)
    for time, fill in zip(times, ("white", color), strict=True):
        if math.isfinite(time):
            axes.plot(time, place, "o", color=color, markerfacecolor=fill, markersize=9, markeredgewidth=2)
    words: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": 9.5}
    axes.annotate(seconds(known[-1]), (known[-1], place), (9, 0), **words)


def growth(section: str, title: str, label: str) -> Callable[[Results], Figure]:
    """Seconds per epoch over the setting that grows, both on log scales."""

    def draw(results: Results) -> Figure:
        figure, axes = canvas()
        values, ends = results.values(section), {}
        for contestant in _taking_part(results, section):
            points = [(value, _epoch(results, contestant.name, **{section: value})) for value in values]
            points = [(x, y) for x, y in points if math.isfinite(y)]
            axes.plot([x for x, _ in points], [y for _, y in points], markersize=6, **_line(contestant))
            if points:
                ends[contestant.name] = (*points[-1], COLORS[contestant.peer])
        axes.set(
            xscale="log", yscale="log", xlabel=f"{label}, log scale", ylabel="seconds per epoch, log scale"
        )
        axes.xaxis.set_major_locator(FixedLocator(values))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        _plain_log(axes.yaxis)
        axes.grid(True)
        heading(axes, title, "dashed: one step per epoch from all rows")
        figure.draw_without_rendering()  # so that limits and layout are final
        label_ends(axes, ends)
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
    "accuracy": "Seconds of training to 95 % and 97 % of the test rows, for each program",
    "rows": "Seconds per epoch as the number of rows grows",
    "hidden": "Seconds per epoch as the number of hidden units grows",
    "partitions": "Seconds per epoch as the number of partitions grows",
}

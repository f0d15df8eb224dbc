"""Cost, accuracy and learning rate over the epochs; steps that were undone are marked beside the line."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from plotting.histories import LARGEST_DRAWN, Curve
from plotting.labels import percent, short
from plotting.style import DARK, MIDDLE, QUIET, canvas, heading, legend_below

Values = NDArray[np.float64]
Written = Callable[[float], str]

FEW_EPOCHS = 60  # up to here each epoch gets a dot of its own
MANY_EPOCHS = 1000  # from here a noisy history needs a thin line
COST_LOG_FROM = 50  # largest / smallest value from which a logarithmic axis shows more than a linear one
RATE_LOG_FROM = 10  # lower: a rate moves by factors, and its steps are then of one height
REACH = 0.25  # undone trials this far outside the standing curve's range still widen the axis; others do not


def cost_figure(curve: Curve, about: str = "") -> Figure:
    """The cost of the point that stood at each epoch, the lowest ringed, and the undone trials."""
    figure, axes = canvas()
    axes.set_ylabel("cost (mean loss per training row)")
    _draw_measured(axes, curve, _range(curve, COST_LOG_FROM), np.nanargmin, "lowest", short)
    return _finished(figure, axes, curve, "Training cost", [about, *_counts(curve), _end(curve, short)])


def accuracy_figure(curve: Curve, about: str = "") -> Figure:
    """The accuracy on the training rows of the point that stood at each epoch, the highest ringed."""
    figure, axes = canvas()
    drawn = curve.values[curve.drawable]
    fraction = not len(drawn) or bool(drawn.min() >= 0 and drawn.max() <= 1)
    written: Written = percent if fraction else short
    axes.set_ylabel("accuracy (% of training rows)" if fraction else "accuracy (as in the file)")
    _draw_measured(axes, curve, _range(curve, math.inf), np.nanargmax, "highest", written)
    if fraction:
        _percent_axis(axes)
    return _finished(figure, axes, curve, "Training accuracy", [about, *_counts(curve), _end(curve, written)])


def rate_figure(curve: Curve, about: str = "") -> Figure:
    """The learning rate of each epoch's step, and which of these steps were undone."""
    figure, axes = canvas()
    every = Curve(curve.epochs, curve.values, np.ones_like(curve.stood))
    axes.set_ylabel("learning rate")
    _value_axis(axes, _range(every, RATE_LOG_FROM))
    rates = np.where(curve.drawable, curve.values, np.nan)
    axes.plot(curve.epochs, rates, color=QUIET, linewidth=0.8, alpha=0.7)
    size = _marker_size(curve)
    styles: list[tuple[NDArray[np.bool_], dict[str, Any]]] = [
        (curve.stood, {"marker": "o", "color": DARK, "label": "step stood"}),
        (~curve.stood, {"marker": "X", "color": MIDDLE, "label": "step undone"}),
    ]
    for which, style in styles:
        if which.any():
            axes.plot(curve.epochs[which], rates[which], linestyle="none", markersize=size, **style)
    return _finished(figure, axes, curve, "Learning rate", [about, *_counts(curve), _end(every, short)])


def undrawable(curve: Curve) -> int:
    """How many epochs have no value that a picture could show: a run that diverged."""
    return int((~curve.drawable).sum())


def _draw_measured(
    axes: Axes,
    curve: Curve,
    limits: tuple[float, float, bool],
    find_best: Callable[[Values], np.intp],
    best_word: str,
    written: Written,
) -> None:
    _value_axis(axes, limits)
    standing = curve.standing()
    label = "each epoch" if curve.stood.all() else "point that stands"
    dots: dict[str, Any] = {"marker": "o", "markersize": 4.5} if len(standing) <= FEW_EPOCHS else {}
    width = 2.0 if len(standing) <= MANY_EPOCHS else 1.0
    axes.plot(curve.epochs, standing, color=DARK, linewidth=width, label=label, zorder=3, **dots)
    _draw_undone(axes, curve, *limits[:2])
    if np.isfinite(standing).any():
        best = int(find_best(standing))
        label = f"{best_word}: {written(standing[best])} at epoch {curve.epochs[best]}"
        ring: dict[str, Any] = {
            "markersize": 12,
            "markerfacecolor": "none",
            "markeredgecolor": "black",
            "zorder": 4,
        }
        axes.plot(curve.epochs[best], standing[best], "o", label=label, clip_on=False, **ring)


def _draw_undone(axes: Axes, curve: Curve, low: float, high: float) -> None:
    """Crosses where the axis reaches, arrowheads at its edge for the trials that would flatten the curve."""
    undone = curve.drawable & ~curve.stood
    above, below = undone & (curve.values > high), undone & (curve.values < low)
    style: dict[str, Any] = {
        "linestyle": "none", "markersize": _marker_size(curve), "color": MIDDLE, "clip_on": False
    }  # fmt: skip
    for which, marker, label in (
        (undone & ~above & ~below, "x", "trial that was undone"),
        (above, "^", "undone, above the axis"),
        (below, "v", "undone, below the axis"),
    ):
        if which.any():
            values = np.clip(curve.values[which], low, high)
            axes.plot(curve.epochs[which], values, marker=marker, label=label, **style)


def _marker_size(curve: Curve) -> float:
    return float(np.clip(700 / len(curve.epochs), 2.5, 7.0))


def _range(curve: Curve, log_from: float) -> tuple[float, float, bool]:
    """(lowest, highest, logarithmic or not) of the value axis."""
    standing, trials = curve.standing(), curve.values[curve.drawable]
    shown = standing[np.isfinite(standing)]
    shown = shown if len(shown) else trials
    if not len(shown):
        return 0.0, 1.0, False
    if shown.min() > 1 / LARGEST_DRAWN and shown.max() >= log_from * shown.min():
        low, high = _widened(np.log10(shown), np.log10(trials[trials > 0]))
        return 10**low, 10**high, True
    return (*_widened(shown, trials), False)


def _widened(shown: Values, trials: Values) -> tuple[float, float]:
    low, high = shown.min(), shown.max()
    reach = REACH * (high - low)
    near = trials[(trials >= low - reach) & (trials <= high + reach)]
    low, high = min(low, near.min()), max(high, near.max())
    margin = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
    return float(low - margin), float(high + margin)


def _value_axis(axes: Axes, limits: tuple[float, float, bool]) -> None:
    low, high, logarithmic = limits
    axes.grid(axis="y")
    if logarithmic:
        axes.set_yscale("log")
        steps = (1.0, 2.0, 5.0) if high < 1e3 * low else (1.0,)
        axes.yaxis.set_major_locator(LogLocator(subs=steps))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_ylabel(f"{axes.get_ylabel()}, log scale")
    axes.set_ylim(low, high)


def _percent_axis(axes: Axes) -> None:
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), min(high, 1.02))  # room for a marker, none for impossible shares
    axes.yaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g} %"))


def _epoch_axis(axes: Axes, epochs: NDArray[np.int64]) -> None:
    """Whole epochs only, and the first one named: there is no epoch 0."""
    first, last = int(epochs[0]), int(epochs[-1])
    ticks = MaxNLocator(10, integer=True, steps=[1, 2, 5, 10]).tick_values(first, last)
    inside = [tick for tick in ticks if first <= tick <= last]
    if not inside or inside[0] - first >= 0.4 * (ticks[1] - ticks[0]):
        inside.insert(0, first)
    axes.xaxis.set_major_locator(FixedLocator(inside))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    pad = max(0.5, 0.015 * (last - first))
    axes.set_xlim(first - pad, last + pad)
    axes.set_xlabel("epoch")


def _counts(curve: Curve) -> list[str]:
    epochs, undone, lost = len(curve.epochs), int((~curve.stood).sum()), undrawable(curve)
    return [
        f"{epochs} epoch{'s' if epochs > 1 else ''}",
        f"{undone} step{'s' if undone > 1 else ''} undone" if undone else "",
        f"{lost} nan or infinite, not drawn" if lost else "",
    ]


def _end(curve: Curve, written: Written) -> str:
    last = curve.standing()[-1]
    return f"ends at {written(last)}" if np.isfinite(last) else ""


def _finished(figure: Figure, axes: Axes, curve: Curve, title: str, parts: list[str]) -> Figure:
    _epoch_axis(axes, curve.epochs)
    if not curve.drawable.any():
        axes.text(0.5, 0.5, "no finite value in this history", ha="center", transform=axes.transAxes)
    heading(axes, title, " · ".join(part for part in parts if part))
    legend_below(figure, axes)
    return figure

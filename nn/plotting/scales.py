"""The axes of a history: whole epochs on the x-axis, range and scale of the values on the y-axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from nn.plotting.histories import LARGEST_DRAWN, Curve

Values = NDArray[np.float64]

COST_LOG_FROM = 50  # largest / smallest value from which the axis is logarithmic
RATE_LOG_FROM = 10  # lower: a rate often changes by a factor, which is one height on a logarithmic axis
CONSTANT = 1e-6  # relative spread of rates up to which they differ by rounding alone
REACH = 0.25  # of the accepted values' range: rejected trials up to this far outside it widen the axis


class Limits(NamedTuple):
    """The range of the y-axis."""

    low: float
    high: float
    logarithmic: bool = False


def cost_limits(curves: Sequence[Curve]) -> Limits:
    """Return limits with room for every accepted cost; logarithmic if the costs span some decades."""
    shown = _shown(curves)
    return _limits(curves, bool(len(shown)) and _spans(shown, COST_LOG_FROM))


def share_limits(curves: Sequence[Curve]) -> Limits:
    """Return limits with room for every accepted accuracy."""
    return _limits(curves, logarithmic=False)


def rate_limits(curve: Curve) -> Limits:
    """Return limits with room for every rate; logarithmic if the rate changes by factors rather than by amounts.

    A decay by factors is a straight line on a logarithmic axis. A cosine or one-cycle schedule, which spans as many
    decades in its last few epochs, would be flat there until it drops. Zero has no logarithm.
    """
    rates = curve.values[curve.drawable]
    if len(rates) and rates.min() > 0 and np.ptp(rates) <= CONSTANT * rates.max():
        return Limits(0.0, 1.25 * float(rates.max()))  # the zero shows that the line is level
    factors = (
        len(rates) > 1 and _spans(rates, RATE_LOG_FROM) and _unevenness(np.log(rates)) <= _unevenness(rates)
    )
    return _limits([curve], bool(factors))


def _spans(values: Values, factor: float) -> bool:
    return bool(values.min() > 1 / LARGEST_DRAWN and values.max() >= factor * values.min())


def _unevenness(values: Values) -> float:
    """Return how unequal the steps are: from 1 / (number of steps) if all are equal, to 1 if there is only one."""
    steps = np.abs(np.diff(values))
    steps /= steps.max()
    return float(np.sum(steps**2) / np.sum(steps) ** 2)


def _shown(curves: Sequence[Curve]) -> Values:
    """Return the values that the axis must show: those of accepted steps, or else of all trials."""
    last_accepted = np.concatenate([curve.last_accepted() for curve in curves])
    shown = last_accepted[np.isfinite(last_accepted)]
    return shown if len(shown) else _trials(curves)


def _trials(curves: Sequence[Curve]) -> Values:
    return np.concatenate([curve.values[curve.drawable] for curve in curves])


def _limits(curves: Sequence[Curve], logarithmic: bool) -> Limits:
    shown, trials = _shown(curves), _trials(curves)
    if not len(shown):
        return Limits(0.0, 1.0)
    if logarithmic:
        low, high = _widened(np.log10(shown), np.log10(trials[trials > 0]))
        return Limits(10**low, 10**high, True)
    return Limits(*_widened(shown, trials))


def _widened(shown: Values, trials: Values) -> tuple[float, float]:
    low, high = shown.min(), shown.max()
    reach = REACH * (high - low)
    near = trials[(trials >= low - reach) & (trials <= high + reach)]
    low, high = min(low, near.min()), max(high, near.max())
    margin = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
    return float(low - margin), float(high + margin)


def value_axis(axes: Axes, limits: Limits) -> None:
    """Set the y-axis; the label of a logarithmic one ends in "log scale"."""
    axes.grid(axis="y")
    if limits.logarithmic:
        axes.set_yscale("log")
        steps = (1.0, 2.0, 5.0) if limits.high < 1e3 * limits.low else (1.0,)
        axes.yaxis.set_major_locator(LogLocator(subs=steps))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_ylabel(f"{axes.get_ylabel()}, log scale")
    axes.set_ylim(limits.low, limits.high)


def percent_axis(axes: Axes) -> None:
    """Label fractions of the y-axis as per cent, within 0 and 1."""
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, -0.02), min(high, 1.02))  # still room for a marker at either end
    axes.yaxis.set_major_locator(MaxNLocator(9, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.6g} %"))


def epoch_axis(axes: Axes, epochs: NDArray[np.int64]) -> None:
    """Set the x-axis: ticks at whole epochs, the first epoch among them."""
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

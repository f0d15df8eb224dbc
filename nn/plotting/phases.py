"""Where the seconds of each epoch went: its phases stacked, means over windows where the epochs are many.

height of a phase over a window = its seconds in the window's epochs / how many these are
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nn.core.format import duration
from nn.plotting.histories import PHASES, Phases
from nn.plotting.scales import Limits, Values, epoch_axis, value_axis
from nn.plotting.style import DARK, LEGEND_SIZE, MIDDLE, PALE, PART, QUIET, canvas, heading
from nn.plotting.textfiles import NotDrawableError

MOST_BARS = 60  # epochs that have a bar each, with air between; beyond it they make one area
MOST_STEPS = 100  # of an area; beyond it each step is the mean over a window of epochs
BAR = 0.7  # the width of a bar; an epoch has room for 1
FEWEST_PLACES = 7  # epochs that the axis has room for at least: a bar as wide as the picture is no bar
FLATTENS = 2.0  # times the tallest of the rest: from here an epoch takes too much of the axis from it
SPARE = 0.1  # of the epochs, how many may go beyond the axis; where more are slow, slow is how the run was
SHORTEST = 1e-9  # seconds: what a clock can tell


class Look(NamedTuple):
    """How a phase is filled."""

    color: str
    hatch: str = ""
    ink: str = "white"  # of the hatch


# From the foot upwards. Neighbours are far apart in lightness; the two that are as a rule thin, and come near another
# in a grey print, are hatched.
LOOKS = {
    "compute": Look(DARK),
    "read": Look("#f6e7c8", "....", QUIET),
    "sum": Look(MIDDLE),
    "schedule": Look(PALE),
    "update": Look(QUIET, "/////"),
}


class Stacks(NamedTuple):
    """What is drawn side by side: m epochs, or m windows of `size` epochs, the last of which may have fewer."""

    first: NDArray[np.int64]  # (m,) epoch
    last: NDArray[np.int64]  # (m,) epoch
    seconds: Values  # (m, phases) an epoch
    size: int

    @property
    def totals(self) -> Values:
        """Seconds an epoch, (m,)."""
        return self.seconds.sum(axis=1)


def phases_figure(phases: Phases, about: str = "") -> Figure:
    """The seconds of each epoch by phase, each phase's share of them all in the legend.

    Raises NotDrawableError where no time was measured.
    """
    stacks = _stacks(phases)
    reach = _reach(stacks.totals)
    if reach < SHORTEST:
        raise NotDrawableError("the seconds of all its phases are 0")
    figure, axes = canvas()
    unit, scale = ("ms", 1000.0) if reach < 1 else ("s", 1.0)
    axes.set_ylabel(f"time per epoch ({unit})")
    value_axis(axes, Limits(0.0, 1.05 * reach * scale))
    _draw_stacks(axes, stacks, scale, _shares(phases))
    _epoch_axis(axes, phases.epochs)
    beyond = stacks.totals > reach
    _draw_arrowheads(axes, stacks, beyond)
    parts = [about, *_counts(phases, stacks), _beyond(stacks, beyond)]
    heading(axes, "Where the time of each epoch went", PART.join(part for part in parts if part))
    # One row, in the order of the stack; the entries are short at any shares.
    figure.legend(loc="outside lower center", ncols=len(LOOKS), fontsize=LEGEND_SIZE)
    return figure


def _stacks(phases: Phases) -> Stacks:
    n = len(phases.epochs)
    size = -(-n // MOST_STEPS)
    starts = np.arange(0, n, size)
    ends = np.minimum(starts + size, n)
    sums = np.add.reduceat(phases.seconds, starts, axis=0)
    means = sums / (ends - starts)[:, None]
    return Stacks(phases.epochs[starts], phases.epochs[ends - 1], means, size)


def _reach(totals: Values) -> float:
    """The tallest stack that the axis has room for: a first epoch on a cold JVM shall not flatten the others."""
    spare = max(1, int(SPARE * len(totals)))
    if len(totals) > spare:
        rest = np.sort(totals)[-spare - 1]
        inside = totals[totals <= FLATTENS * rest]
        if inside.max() >= SHORTEST:
            return float(inside.max())
    return float(totals.max())


def _shares(phases: Phases) -> dict[str, str]:
    """Phase -> its share of all seconds, in words."""
    sums = phases.seconds.sum(axis=0)
    return {name: _share(part) for name, part in zip(PHASES, sums / sums.sum(), strict=True)}


def _share(part: float) -> str:
    """0.708 -> '71 %'; what is there never becomes 0 %, nor what is not all 100 %."""
    whole = round(100 * part)
    if whole == 0 and part > 0:
        return "<1 %"
    if whole == 100 and part < 1:
        return ">99 %"
    return f"{whole} %"


def _draw_stacks(axes: Axes, stacks: Stacks, scale: float, shares: dict[str, str]) -> None:
    foot: Values = np.zeros(len(stacks.first))
    edges, inside = _edges(stacks)
    for name, look in LOOKS.items():
        top = foot + scale * stacks.seconds[:, PHASES.index(name)]
        axes.stairs(
            _between(top, np.nan)[inside],
            edges,
            baseline=_between(foot, 0.0)[inside],
            fill=True,
            facecolor=look.color,
            edgecolor=look.ink,
            hatch=look.hatch,
            linewidth=0,  # a line around a thin phase would cover it
            label=f"{name} {shares[name]}",
        )
        foot = top


def _edges(stacks: Stacks) -> tuple[Values, NDArray[np.bool_]]:
    """Where stacks and the gaps between them begin and end, and which of both, in turn, have a width.

    Stacks that touch have no gap: one outline goes around them all, without seams.
    """
    half = BAR / 2 if len(stacks.first) <= MOST_BARS else 0.5
    both = np.column_stack([stacks.first - half, stacks.last + half]).ravel()
    inside = np.diff(both) > 0
    return np.append(both[0], both[1:][inside]), inside


def _between(values: Values, gap: float) -> Values:
    """The values with a gap between each two, (2m - 1,)."""
    return np.column_stack([values, np.full(len(values), gap)]).ravel()[:-1]


def _epoch_axis(axes: Axes, epochs: NDArray[np.int64]) -> None:
    epoch_axis(axes, epochs)
    first, last = axes.get_xlim()
    more = max(0.0, FEWEST_PLACES - (last - first)) / 2
    axes.set_xlim(first - more, last + more)


def _draw_arrowheads(axes: Axes, stacks: Stacks, beyond: NDArray[np.bool_]) -> None:
    """At the axis's upper edge, over the stacks that it cuts off."""
    if not beyond.any():
        return  # a line without points would upset the layout
    places = (stacks.first + stacks.last)[beyond] / 2
    edge = np.full(len(places), axes.get_ylim()[1])
    axes.plot(
        places, edge, "^", color="black", markeredgecolor="white", markersize=9, clip_on=False, zorder=4
    )


def _beyond(stacks: Stacks, beyond: NDArray[np.bool_]) -> str:
    """What the arrowheads say: which epoch was too slow for the axis and with what, or how slow these were."""
    if not beyond.any():
        return ""
    slowest = int(np.argmax(stacks.totals))
    longest = duration(stacks.totals[slowest])
    if beyond.sum() > 1:
        return (
            f"▲ {beyond.sum()} {'windows' if stacks.size > 1 else 'epochs'} above the axis, up to {longest}"
        )
    first, last = stacks.first[slowest], stacks.last[slowest]
    which = f"epoch {first}" if stacks.size == 1 else f"mean of epochs {first} to {last}"
    largest = int(np.argmax(stacks.seconds[slowest]))
    mostly = stacks.seconds[slowest, largest] > stacks.totals[slowest] / 2
    return f"▲ {which} above the axis: {longest}{f', mostly {PHASES[largest]}' if mostly else ''}"


def _counts(phases: Phases, stacks: Stacks) -> list[str]:
    totals = phases.seconds.sum(axis=1)
    n = len(totals)
    return [
        f"{n} epoch{'s' if n > 1 else ''} in {duration(totals.sum())}",
        f"median epoch {duration(float(np.median(totals)))}" if n > 2 else "",
        f"drawn as means over {stacks.size} epochs" if stacks.size > 1 else "",
    ]

"""Draw the seconds of each epoch by phase as stacks; of many epochs, means over windows.

height of a phase over a window = its seconds in the window's epochs / number of these epochs
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

MOST_BARS = 60  # epochs, up to which each has a bar; more are drawn as one area
MOST_STEPS = 100  # of an area; with more epochs each step is the mean over a window of them
BAR = 0.7  # width of a bar, in epochs
FEWEST_EPOCHS = 7  # that the axis has room for: with fewer, bars would be too wide
FLATTENS = 2.0  # times the tallest of the others, from which an epoch is cut off at the edge of the axis
SPARE = 0.1  # share of the epochs that may be cut off; if more are slow, the axis shows them
SHORTEST = 1e-9  # seconds; the resolution of a clock


class Look(NamedTuple):
    """Color and hatch of a phase."""

    color: str
    hatch: str = ""
    ink: str = "white"  # of the hatch


# From the bottom upwards. Neighbors differ in lightness; the two that are mostly thin, and look like another one in a
# gray print, are hatched.
LOOKS = {
    "compute": Look(DARK),
    "read": Look("#f6e7c8", "....", QUIET),
    "sum": Look(MIDDLE),
    "schedule": Look(PALE),
    "update": Look(QUIET, "/////"),
}


class Stacks(NamedTuple):
    """The m stacks of a picture: epochs, or means over windows of `size` epochs, of which the last may have fewer."""

    first: NDArray[np.int64]  # (m,) epoch
    last: NDArray[np.int64]  # (m,) epoch
    seconds: Values  # (m, phases), per epoch
    size: int

    @property
    def totals(self) -> Values:
        """Return the seconds per epoch, (m,)."""
        return self.seconds.sum(axis=1)


def phases_figure(phases: Phases, about: str = "") -> Figure:
    """Draw the seconds of each epoch by phase, and each phase's share of all in the legend.

    Raises NotDrawableError if no time was measured.
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
    """Return the height of the axis, in seconds: without a few slow epochs, such as the first one on a cold JVM."""
    spare = max(1, int(SPARE * len(totals)))
    if len(totals) > spare:
        rest = np.sort(totals)[-spare - 1]
        inside = totals[totals <= FLATTENS * rest]
        if inside.max() >= SHORTEST:
            return float(inside.max())
    return float(totals.max())


def _shares(phases: Phases) -> dict[str, str]:
    """Return each phase's share of all seconds as text."""
    sums = phases.seconds.sum(axis=0)
    return {name: _share(part) for name, part in zip(PHASES, sums / sums.sum(), strict=True)}


def _share(part: float) -> str:
    """Return 0.708 as '71 %'; 0 % and 100 % are exact."""
    whole = round(100 * part)
    if whole == 0 and part > 0:
        return "<1 %"
    if whole == 100 and part < 1:
        return ">99 %"
    return f"{whole} %"


def _draw_stacks(axes: Axes, stacks: Stacks, scale: float, shares: dict[str, str]) -> None:
    bottom: Values = np.zeros(len(stacks.first))
    edges, inside = _edges(stacks)
    for name, look in LOOKS.items():
        top = bottom + scale * stacks.seconds[:, PHASES.index(name)]
        axes.stairs(
            _between(top, np.nan)[inside],
            edges,
            baseline=_between(bottom, 0.0)[inside],
            fill=True,
            facecolor=look.color,
            edgecolor=look.ink,
            hatch=look.hatch,
            linewidth=0,  # a line around a thin phase would cover it
            label=f"{name} {shares[name]}",
        )
        bottom = top


def _edges(stacks: Stacks) -> tuple[Values, NDArray[np.bool_]]:
    """Return the edges of stacks and the gaps between them, and which of these, in turn, have a width.

    Stacks that touch have no gap: one outline surrounds them all, without seams.
    """
    half = BAR / 2 if len(stacks.first) <= MOST_BARS else 0.5
    both = np.column_stack([stacks.first - half, stacks.last + half]).ravel()
    inside = np.diff(both) > 0
    return np.append(both[0], both[1:][inside]), inside


def _between(values: Values, gap: float) -> Values:
    """Return the values with `gap` between each two, (2m - 1,)."""
    return np.column_stack([values, np.full(len(values), gap)]).ravel()[:-1]


def _epoch_axis(axes: Axes, epochs: NDArray[np.int64]) -> None:
    epoch_axis(axes, epochs)
    first, last = axes.get_xlim()
    more = max(0.0, FEWEST_EPOCHS - (last - first)) / 2
    axes.set_xlim(first - more, last + more)


def _draw_arrowheads(axes: Axes, stacks: Stacks, beyond: NDArray[np.bool_]) -> None:
    """Mark the stacks that are cut off at the upper edge of the axis."""
    if not beyond.any():
        return  # a line without points would upset the layout
    positions = (stacks.first + stacks.last)[beyond] / 2
    edge = np.full(len(positions), axes.get_ylim()[1])
    axes.plot(
        positions, edge, "^", color="black", markeredgecolor="white", markersize=9, clip_on=False, zorder=4
    )


def _beyond(stacks: Stacks, beyond: NDArray[np.bool_]) -> str:
    """Return the text on stacks that are cut off: the epoch, its time and largest phase; of several, the longest."""
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

"""Draw cost, accuracy and learning rate over the epochs; rejected steps are marked beside the line.

If a run measured validation rows, their curve is a second line in the same axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nn.plotting.histories import Curve
from nn.plotting.labels import percent, short
from nn.plotting.scales import (
    Limits,
    Values,
    cost_limits,
    epoch_axis,
    percent_axis,
    rate_limits,
    share_limits,
    value_axis,
)
from nn.plotting.style import DARK, MIDDLE, PART, QUIET, SECOND, canvas, heading, legend_below

FEW_EPOCHS = 60  # up to here each epoch gets a dot of its own
MANY_EPOCHS = 1000  # from here a noisy history needs a thin line


@dataclass(frozen=True)
class Kind:
    """The words for a measured quantity, and which of its values is best."""

    noun: str
    best_word: str
    find_best: Callable[[Values], np.intp]
    formatted: Callable[[float], str]


COST = Kind("cost", "lowest", np.nanargmin, short)
ACCURACY = Kind("accuracy", "highest", np.nanargmax, percent)
FOREIGN = Kind("accuracy", "highest", np.nanargmax, short)  # not fractions: a file of another program


def cost_figure(
    curve: Curve, about: str = "", validation: Curve | None = None, kept: int | None = None
) -> Figure:
    """Draw the cost of the last accepted step at each epoch, mark the lowest, and mark rejected trials.

    `validation` is the cost of the validation rows, `kept` the epoch whose weights the model has.
    """
    figure, axes = canvas()
    axes.set_ylabel(f"cost (mean loss per {'row' if validation else 'training row'})")
    value_axis(axes, cost_limits(_present(curve, validation)))
    _draw_measured(axes, curve, validation, COST)
    _draw_kept(axes, curve, kept)
    return _finished(figure, axes, curve, validation, COST, about)


def accuracy_figure(
    curve: Curve, about: str = "", validation: Curve | None = None, kept: int | None = None
) -> Figure:
    """Draw the accuracy of the last accepted step at each epoch; mark the highest. Arguments as for the cost."""
    figure, axes = canvas()
    drawn = curve.values[curve.drawable]
    fraction = not len(drawn) or bool(drawn.min() >= 0 and drawn.max() <= 1)
    kind = ACCURACY if fraction else FOREIGN
    rows = "rows" if validation else "training rows"
    axes.set_ylabel(f"accuracy (% of {rows})" if fraction else "accuracy (as in the file)")
    value_axis(axes, share_limits(_present(curve, validation)))
    if fraction:
        percent_axis(axes)
    _draw_measured(axes, curve, validation, kind)
    _draw_kept(axes, curve, kept)
    return _finished(figure, axes, curve, validation, kind, about)


def rate_figure(curve: Curve, about: str = "") -> Figure:
    """Draw the learning rate of each epoch's step; mark rejected steps."""
    figure, axes = canvas()
    every = Curve(curve.epochs, curve.values, np.ones_like(curve.accepted))
    axes.set_ylabel("learning rate")
    value_axis(axes, rate_limits(every))
    rates = np.where(curve.drawable, curve.values, np.nan)
    axes.plot(curve.epochs, rates, color=QUIET, linewidth=0.8, alpha=0.7)
    size = _marker_size(curve)
    styles: list[tuple[NDArray[np.bool_], dict[str, Any]]] = [
        (curve.accepted, {"marker": "o", "color": DARK, "label": "step accepted"}),
        (~curve.accepted, {"marker": "X", "color": MIDDLE, "label": "step rejected"}),
    ]
    for which, style in styles:
        if which.any():
            axes.plot(curve.epochs[which], rates[which], linestyle="none", markersize=size, **style)
    parts = [about, *_counts(curve), _end(every, short)]
    return _completed(figure, axes, [curve], "Learning rate", parts)


def undrawable(curve: Curve) -> int:
    """Return the number of epochs without a value that a picture can show, as in a run that diverged."""
    return int((~curve.drawable).sum())


def _present(curve: Curve, validation: Curve | None) -> list[Curve]:
    return [curve, validation] if validation else [curve]


def _draw_measured(axes: Axes, curve: Curve, validation: Curve | None, kind: Kind) -> None:
    label = "training" if validation else "each epoch" if curve.accepted.all() else "last accepted step"
    _draw_accepted(axes, curve, {"color": DARK, "marker": "o", "label": label, "zorder": 3})
    if validation:
        second = {"color": SECOND, "marker": "s", "label": "validation", "zorder": 3.5}
        _draw_accepted(axes, validation, second)
    limits = Limits(*axes.get_ylim())
    _draw_crosses(axes, curve, limits, {"marker": "x", "color": MIDDLE, "label": "rejected step"})
    if validation:
        style = {"marker": "+", "color": SECOND, "label": "rejected, on validation"}
        _draw_crosses(axes, validation, limits, style)
    _draw_arrowheads(axes, _present(curve, validation), limits)
    _draw_best(axes, curve, validation, kind)


def _draw_accepted(axes: Axes, curve: Curve, style: dict[str, Any]) -> None:
    last_accepted = curve.last_accepted()
    dots = {"markersize": 4.5} if len(last_accepted) <= FEW_EPOCHS else {"marker": ""}
    width = 2.0 if len(last_accepted) <= MANY_EPOCHS else 1.0
    axes.plot(curve.epochs, last_accepted, linewidth=width, **(style | dots))


def _draw_best(axes: Axes, curve: Curve, validation: Curve | None, kind: Kind) -> None:
    """Mark the best value: of validation with a point, if it was measured, else of training with a ring."""
    chosen = validation or curve
    last_accepted = chosen.last_accepted()
    if not np.isfinite(last_accepted).any():
        return
    best = int(kind.find_best(last_accepted))
    value = f"{kind.formatted(last_accepted[best])} at epoch {chosen.epochs[best]}"
    mark: dict[str, Any] = {"markersize": 12, "markerfacecolor": "none", "markeredgecolor": "black"}
    label = f"{kind.best_word}: {value}"
    if validation:
        mark = {"markersize": 8, "markerfacecolor": "black", "markeredgecolor": "white"}
        label = f"{kind.best_word} on validation: {value}"
    axes.plot(chosen.epochs[best], last_accepted[best], "o", label=label, clip_on=False, zorder=4, **mark)


def _draw_kept(axes: Axes, curve: Curve, kept: int | None) -> None:
    if kept is not None and kept in curve.epochs:
        style: dict[str, Any] = {"color": QUIET, "linewidth": 1.3, "linestyle": (0, (4, 3)), "zorder": 2.5}
        axes.axvline(kept, label=f"weights kept: epoch {kept}", **style)


def _draw_crosses(axes: Axes, curve: Curve, limits: Limits, style: dict[str, Any]) -> None:
    """Mark the rejected trials within the axis."""
    near = _rejected(curve) & (curve.values >= limits.low) & (curve.values <= limits.high)
    if near.any():
        axes.plot(curve.epochs[near], curve.values[near], **_mark(curve), **style)


def _draw_arrowheads(axes: Axes, curves: Sequence[Curve], limits: Limits) -> None:
    """Mark at the edge of the axis the epochs of rejected trials outside it; showing them would flatten the curves."""
    for marker, label, edge, sign in (
        ("^", "rejected, above the axis", limits.high, 1),
        ("v", "rejected, below the axis", limits.low, -1),
    ):
        beyond = [curve.epochs[_rejected(curve) & (sign * curve.values > sign * edge)] for curve in curves]
        epochs = np.unique(np.concatenate(beyond))
        if len(epochs):
            style = {"marker": marker, "label": label, "color": MIDDLE, **_mark(curves[0])}
            axes.plot(epochs, np.full(len(epochs), edge), **style)


def _rejected(curve: Curve) -> NDArray[np.bool_]:
    return curve.drawable & ~curve.accepted


def _mark(curve: Curve) -> dict[str, Any]:
    return {"linestyle": "none", "markersize": _marker_size(curve), "clip_on": False, "zorder": 3.8}


def _marker_size(curve: Curve) -> float:
    return float(np.clip(700 / len(curve.epochs), 2.5, 7.0))


def _counts(curve: Curve, validation: Curve | None = None) -> list[str]:
    epochs, rejected, missing = len(curve.epochs), int((~curve.accepted).sum()), undrawable(curve)
    validation_missing = undrawable(validation) if validation else 0
    return [
        f"{epochs} epoch{'s' if epochs > 1 else ''}",
        f"{rejected} step{'s' if rejected > 1 else ''} rejected" if rejected else "",
        f"{missing} nan or infinite, not drawn" if missing else "",
        f"validation: {validation_missing} nan or infinite" if validation_missing else "",
    ]


def _end(curve: Curve, formatted: Callable[[float], str], validation: Curve | None = None) -> str:
    last = curve.last_accepted()[-1]
    text = f"ends at {formatted(last)}" if np.isfinite(last) else ""
    if text and validation and np.isfinite(validation.last_accepted()[-1]):
        text += f", validation at {formatted(validation.last_accepted()[-1])}"
    return text


def _finished(
    figure: Figure, axes: Axes, curve: Curve, validation: Curve | None, kind: Kind, about: str
) -> Figure:
    title = f"{'Training and validation' if validation else 'Training'} {kind.noun}"
    parts = [about, *_counts(curve, validation), _end(curve, kind.formatted, validation)]
    return _completed(figure, axes, _present(curve, validation), title, parts)


def _completed(figure: Figure, axes: Axes, curves: Sequence[Curve], title: str, parts: list[str]) -> Figure:
    epoch_axis(axes, curves[0].epochs)
    if not any(curve.drawable.any() for curve in curves):
        axes.text(0.5, 0.5, "no finite value in this history", ha="center", transform=axes.transAxes)
    heading(axes, title, PART.join(part for part in parts if part))
    legend_below(figure, axes)
    return figure

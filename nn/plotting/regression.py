"""Draw the test rows of a regression: predicted against actual values, and the errors of the predictions."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from nn.plotting.labels import short
from nn.plotting.results import Predicted
from nn.plotting.style import DARK, MIDDLE, PALE, PART, QUIET, canvas, heading, legend_below

MOST_BINS = 60
MARGIN = 0.04  # of the range of the values, around it


def predicted_figure(values: Predicted, about: str) -> Figure:
    """Draw a point for each row, actual value to the right and prediction upward; the diagonal is without errors."""
    figure, axes = canvas(8.6, 8.6)
    low, high = _range(np.concatenate([values.actual, values.predicted]))
    axes.plot(
        [low, high], [low, high], color=MIDDLE, linewidth=1.5, label="prediction = actual value", zorder=3
    )
    _points(axes, values.actual, values.predicted)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.set_xlabel("actual value")
    axes.set_ylabel("prediction")
    axes.grid()
    heading(axes, "Predicted against actual values", _about(values, about))
    legend_below(figure, axes)
    return figure


def residuals_figure(values: Predicted, about: str) -> Figure:
    """Draw the errors of the rows by their predictions, and below how often errors of each size are."""
    figure, upper = canvas(10.0, 9.2, rows=2)
    lower = figure.axes[1]
    errors = values.predicted - values.actual
    upper.axhline(0, color=MIDDLE, linewidth=1.5, zorder=3)
    _points(upper, values.predicted, errors)
    upper.set_xlim(*_range(values.predicted))
    upper.set_ylim(*_range(errors))
    upper.set_xlabel("prediction")
    upper.set_ylabel("error (prediction - actual)")
    upper.grid()
    heading(upper, "Errors of the predictions", _about(values, about))
    _histogram(lower, errors)
    mean, spread = float(errors.mean()), float(errors.std())
    heading(lower, "How often", f"mean error {short(mean)}{PART}standard deviation {short(spread)}")
    legend_below(figure, lower)
    return figure


def _points(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Draw points that are paler the more there are, so that dense places stay readable."""
    count = len(x)
    size, alpha = (28.0, 0.8) if count <= 200 else (14.0, 0.45)
    axes.scatter(x, y, s=size, color=DARK, alpha=alpha, linewidths=0, label="test row", zorder=2.5)


def _histogram(axes: Axes, errors: NDArray[np.float64]) -> None:
    low, high = _range(errors)
    bins = int(np.clip(np.sqrt(len(errors)) * 1.5, 8, MOST_BINS))
    axes.hist(
        errors, bins=np.linspace(low, high, bins + 1).tolist(), color=PALE, edgecolor=QUIET, linewidth=0.6
    )
    axes.axvline(0, color=MIDDLE, linewidth=1.5, label="no error")
    axes.axvline(errors.mean(), color=DARK, linewidth=1.5, linestyle=(0, (4, 3)), label="mean error")
    axes.set_xlim(low, high)
    axes.set_xlabel("error (prediction - actual)")
    axes.set_ylabel("test rows")
    axes.grid(axis="y")


def _range(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the range of the values with a margin around it."""
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or 0.1 * abs(high) or 1.0
    return low - margin, high + margin


def _about(values: Predicted, about: str) -> str:
    count = len(values.actual)
    return PART.join(filter(None, (about, f"{count:,} test row{'s' if count > 1 else ''} drawn")))

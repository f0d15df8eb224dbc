"""Curves over the epochs: whole epochs, undone steps marked, and a picture of any numbers."""

import math

import numpy as np
import pytest
from test_plotting_style import all_text, assert_readable

from plotting.curves import accuracy_figure, cost_figure, rate_figure
from plotting.histories import Curve
from plotting.style import house_style

ABOUT = "mnist · test accuracy 97.03 %"


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def curve(values, stood=None):
    values = np.array(values, dtype=float)
    stood = np.ones(len(values), dtype=bool) if stood is None else np.array(stood, dtype=bool)
    return Curve(np.arange(1, len(values) + 1), values, stood)


def bold_driver(epochs):
    """A falling cost whose every fourth trial is undone, one of them very far off."""
    stood = np.arange(epochs) % 4 != 3
    costs = 0.1 + np.exp(-np.arange(epochs) / max(1, epochs / 5)) + 0.2 * ~stood
    if epochs > 8:
        costs[7] = 1e9
    return curve(costs, stood)


def lines_of(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


@pytest.mark.parametrize("epochs", [1, 2, 40, 5000])
def test_histories_of_any_length_are_readable(epochs):
    trial = bold_driver(epochs)
    shares = Curve(trial.epochs, np.clip(1.1 - trial.values, 0, 1), trial.stood)
    for figure in (cost_figure(trial, "mnist"), accuracy_figure(shares, ABOUT), rate_figure(trial, "mnist")):
        assert_readable(figure)
        ticks = figure.axes[0].get_xticks()
        assert ticks[0] == 1
        assert all(tick == int(tick) and 1 <= tick <= epochs for tick in ticks)


def test_cost_shows_the_standing_curve_and_marks_undone_trials():
    figure = cost_figure(curve([1.0, 0.8, 0.9, 0.7, 50.0], [1, 1, 0, 1, 0]))
    lines = lines_of(figure)
    np.testing.assert_array_equal(lines["point that stands"].get_ydata(), [1.0, 0.8, 0.8, 0.7, 0.7])
    assert lines["trial that was undone"].get_xdata().tolist() == [3]
    assert lines["trial that was undone"].get_ydata().tolist() == [0.9]
    assert lines["undone, above the axis"].get_xdata().tolist() == [5]
    assert figure.axes[0].get_ylim()[1] < 1.5  # the trial at 50 does not flatten the curve
    assert lines["lowest: 0.7 at epoch 4"].get_xdata() == [4]
    assert "2 steps undone" in all_text(figure)
    assert figure.axes[0].get_yscale() == "linear"
    assert cost_figure(curve([1.0, 0.01])).axes[0].get_yscale() == "log"
    markers = [line.get_marker() for label, line in lines.items() if "undone" in label]
    assert len(set(markers)) == len(markers)


def test_accuracy_is_in_percent_and_rings_the_highest_that_stood():
    figure = accuracy_figure(curve([0.5, 0.99, 0.8], [1, 0, 1]))
    assert "highest: 80.0 % at epoch 3" in lines_of(figure)
    assert accuracy_figure(curve([0.0, 1.0])).axes[0].get_ylim() == (-0.02, 1.02)
    assert "ends at 80.0 %" in all_text(figure)


def test_accuracy_of_a_foreign_file_in_percent_is_left_as_it_is():
    figure = accuracy_figure(curve([50, 84]))
    assert "as in the file" in figure.axes[0].get_ylabel()
    assert "ends at 84" in all_text(figure)


def test_rate_marks_undone_steps_and_takes_a_log_scale_only_when_it_helps():
    figure = rate_figure(curve([0.1, 0.2, 1.1], [1, 0, 1]))
    lines = lines_of(figure)
    assert lines["step undone"].get_xdata().tolist() == [2]
    assert lines["step stood"].get_xdata().tolist() == [1, 3]
    assert lines["step undone"].get_marker() != lines["step stood"].get_marker()
    assert figure.axes[0].get_yscale() == "log"
    assert "log scale" in figure.axes[0].get_ylabel()
    assert rate_figure(curve([0.1, 0.2])).axes[0].get_yscale() == "linear"
    assert rate_figure(curve([0.0, 0.2, 100])).axes[0].get_yscale() == "linear"


@pytest.mark.parametrize(
    "values",
    [
        [math.nan],
        [math.inf, -math.inf],
        [0.5, math.nan, 0.4, math.inf],
        [1e308, -1e308],
        [1e99, -1e99, 0],
        [5e-324, 1.0],
        [0.4 * 3.0**i for i in range(300)],
        [0.0, 0.0],
        [-1.0, -2.0],
    ],
)
@pytest.mark.filterwarnings("error")
def test_any_numbers_make_a_picture(values):
    for figure in (cost_figure(curve(values)), accuracy_figure(curve(values)), rate_figure(curve(values))):
        assert_readable(figure)
        assert ("no finite value" in all_text(figure)) == (not curve(values).drawable.any())


def test_undone_trials_alone_make_a_picture():
    assert_readable(cost_figure(curve([3, 2], [0, 0])))

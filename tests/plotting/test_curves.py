"""Curves over the epochs: whole epochs, rejected steps marked, and a picture of any numbers."""

import math

import numpy as np
import pytest

from nn.plotting.curves import accuracy_figure, cost_figure, rate_figure
from nn.plotting.histories import Curve
from nn.plotting.style import house_style
from tests.support.figures import all_text, assert_readable

ABOUT = "mnist · test accuracy 97.03 %"


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def curve(values, accepted=None):
    values = np.array(values, dtype=float)
    accepted = np.ones(len(values), dtype=bool) if accepted is None else np.array(accepted, dtype=bool)
    return Curve(np.arange(1, len(values) + 1), values, accepted)


def bold_driver(epochs):
    """A falling cost whose every fourth trial is rejected, one of them very far off."""
    accepted = np.arange(epochs) % 4 != 3
    costs = 0.1 + np.exp(-np.arange(epochs) / max(1, epochs / 5)) + 0.2 * ~accepted
    if epochs > 8:
        costs[7] = 1e9
    return curve(costs, accepted)


def lines_of(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


@pytest.mark.parametrize("epochs", [1, 2, 40, 5000])
def test_histories_of_any_length_are_readable(epochs):
    trial = bold_driver(epochs)
    shares = Curve(trial.epochs, np.clip(1.1 - trial.values, 0, 1), trial.accepted)
    for figure in (cost_figure(trial, "mnist"), accuracy_figure(shares, ABOUT), rate_figure(trial, "mnist")):
        assert_readable(figure)
        ticks = figure.axes[0].get_xticks()
        assert ticks[0] == 1
        assert all(tick == int(tick) and 1 <= tick <= epochs for tick in ticks)


def test_cost_shows_accepted_steps_and_marks_rejected_trials():
    figure = cost_figure(curve([1.0, 0.8, 0.9, 0.7, 50.0], [1, 1, 0, 1, 0]))
    lines = lines_of(figure)
    np.testing.assert_array_equal(lines["last accepted step"].get_ydata(), [1.0, 0.8, 0.8, 0.7, 0.7])
    assert lines["rejected step"].get_xdata().tolist() == [3]
    assert lines["rejected step"].get_ydata().tolist() == [0.9]
    assert lines["rejected, above the axis"].get_xdata().tolist() == [5]
    assert figure.axes[0].get_ylim()[1] < 1.5  # the trial at 50 does not flatten the curve
    assert lines["lowest: 0.7 at epoch 4"].get_xdata() == [4]
    assert "2 steps rejected" in all_text(figure)
    assert figure.axes[0].get_yscale() == "linear"
    assert cost_figure(curve([1.0, 0.01])).axes[0].get_yscale() == "log"
    markers = [line.get_marker() for label, line in lines.items() if "rejected" in label]
    assert len(set(markers)) == len(markers)


def test_accuracy_is_in_percent_and_rings_the_highest_accepted():
    figure = accuracy_figure(curve([0.5, 0.99, 0.8], [1, 0, 1]))
    assert "highest: 80.0 % at epoch 3" in lines_of(figure)
    assert accuracy_figure(curve([0.0, 1.0])).axes[0].get_ylim() == (-0.02, 1.02)
    assert "ends at 80.0 %" in all_text(figure)


def test_accuracy_of_a_foreign_file_in_percent_is_left_as_it_is():
    figure = accuracy_figure(curve([50, 84]))
    assert "as in the file" in figure.axes[0].get_ylabel()
    assert "ends at 84" in all_text(figure)


def test_validation_is_a_second_line_with_its_best_epoch_in_words():
    training, validation = curve([2.0, 1.0, 0.6, 0.4]), curve([2.1, 1.2, 1.1, 1.4])
    figure = cost_figure(training, "mnist", validation)
    assert_readable(figure)
    lines = lines_of(figure)
    assert set(lines) == {"training", "validation", "lowest on validation: 1.1 at epoch 3"}
    assert lines["training"].get_ydata().tolist() == [2.0, 1.0, 0.6, 0.4]
    assert lines["validation"].get_ydata().tolist() == [2.1, 1.2, 1.1, 1.4]
    assert lines["training"].get_color() != lines["validation"].get_color()
    assert lines["training"].get_marker() != lines["validation"].get_marker()
    best = lines["lowest on validation: 1.1 at epoch 3"]
    assert (list(best.get_xdata()), list(best.get_ydata())) == ([3], [1.1])
    assert "Training and validation cost" in all_text(figure)
    assert "ends at 0.4, validation at 1.4" in all_text(figure)
    assert figure.axes[0].get_ylabel() == "cost (mean loss per row)"
    low, high = figure.axes[0].get_ylim()
    assert low < 0.4
    assert high > 2.1


def test_validation_accuracy_marks_its_highest_in_percent():
    figure = accuracy_figure(curve([0.5, 0.9, 0.99]), ABOUT, curve([0.4, 0.72, 0.7]))
    assert_readable(figure)
    assert "highest on validation: 72.0 % at epoch 2" in lines_of(figure)
    assert "ends at 99.0 %, validation at 70.0 %" in all_text(figure)
    assert figure.axes[0].get_ylabel() == "accuracy (% of rows)"
    assert figure.axes[0].get_ylim()[0] < 0.4


def test_a_picture_without_validation_is_as_before():
    assert set(lines_of(cost_figure(curve([2, 1])))) == {"each epoch", "lowest: 1 at epoch 2"}
    assert "validation" not in all_text(cost_figure(curve([2, 1])))


def test_validation_widens_the_axis_and_chooses_its_scale():
    assert cost_figure(curve([1.0, 0.5]), "", curve([1.0, 0.01])).axes[0].get_yscale() == "log"
    figure = cost_figure(curve([1.0, 0.5]), "", curve([1.0, 3.0]))
    assert figure.axes[0].get_yscale() == "linear"
    assert figure.axes[0].get_ylim()[1] > 3


def test_rejected_trials_are_marked_on_both_lines_and_once_at_the_edge():
    accepted = [1, 1, 0, 0, 0, 1]
    training, validation = (
        curve([1.0, 0.8, 0.9, 50, 0.85, 0.7], accepted),
        curve([1.1, 0.9, 1.0, 60, 90, 0.8], accepted),
    )
    figure = cost_figure(training, "mnist", validation)
    assert_readable(figure)
    lines = lines_of(figure)
    np.testing.assert_array_equal(lines["training"].get_ydata(), [1.0, 0.8, 0.8, 0.8, 0.8, 0.7])
    np.testing.assert_array_equal(lines["validation"].get_ydata(), [1.1, 0.9, 0.9, 0.9, 0.9, 0.8])
    assert lines["rejected step"].get_xdata().tolist() == [3, 5]
    assert lines["rejected, on validation"].get_xdata().tolist() == [3]
    assert lines["rejected, on validation"].get_ydata().tolist() == [1.0]
    assert lines["rejected, above the axis"].get_xdata().tolist() == [4, 5]
    assert set(lines["rejected, above the axis"].get_ydata()) == {figure.axes[0].get_ylim()[1]}
    markers = [line.get_marker() for label, line in lines.items() if "rejected" in label]
    assert len(set(markers)) == len(markers)
    assert "lowest on validation: 0.8 at epoch 6" in lines


@pytest.mark.filterwarnings("error")
def test_rejected_trials_without_a_logarithm_or_a_finite_value_break_no_axis():
    figure = cost_figure(curve([1.0, 0.001, 0.0, -5.0, math.inf, math.nan], [1, 1, 0, 0, 0, 0]))
    assert_readable(figure)
    assert figure.axes[0].get_yscale() == "log"
    rejected = [line for label, line in lines_of(figure).items() if "rejected" in label]
    assert [(line.get_label(), line.get_xdata().tolist()) for line in rejected] == [
        ("rejected, below the axis", [3, 4])
    ]


def test_rejected_trials_below_the_axis_are_arrowheads_at_its_lower_edge():
    figure = accuracy_figure(curve([0.9, 0.1, 0.92], [1, 0, 1]))
    below = lines_of(figure)["rejected, below the axis"]
    assert (below.get_xdata().tolist(), below.get_marker()) == ([2], "v")
    assert below.get_ydata().tolist() == [figure.axes[0].get_ylim()[0]]


def test_the_epoch_whose_weights_were_kept_is_marked_where_it_is_in_the_history():
    for draw in (cost_figure, accuracy_figure):
        figure = draw(curve([0.5, 0.4, 0.6]), "mnist", curve([0.7, 0.3, 0.8]), kept=2)
        assert_readable(figure)
        assert list(lines_of(figure)["weights kept: epoch 2"].get_xdata()) == [2, 2]
        assert "weights kept: epoch 1" in lines_of(draw(curve([0.5]), kept=1))
        for kept in (None, 0, 4):
            assert "kept" not in "".join(lines_of(draw(curve([0.5, 0.4, 0.6]), kept=kept)))


def test_validation_at_some_epochs_only_is_drawn_at_these():
    validation = Curve(np.array([2, 4]), np.array([0.5, 0.7]), np.ones(2, dtype=bool))
    figure = cost_figure(curve([1, 0.8, 0.6, 0.5]), "", validation)
    assert lines_of(figure)["validation"].get_xdata().tolist() == [2, 4]
    assert "lowest on validation: 0.5 at epoch 2" in lines_of(figure)


@pytest.mark.parametrize("epochs", [1, 3, 100, 12345])
def test_the_fullest_picture_is_readable_at_any_length(epochs):
    """Everything at once: rejected trials near, above and below, a point, kept weights, lost values, a long name."""
    training = bold_driver(epochs)
    values = np.clip(1.1 - training.values, 0, 1)
    if epochs > 20:
        values[11], values[12] = 0, math.nan
    shares = Curve(training.epochs, values, training.accepted)
    about = "a data set with rather a l…g name, drawn · test accuracy 97.03 %"
    for figure in (
        cost_figure(training, about, curve(training.values * 1.2345e-7, training.accepted), kept=epochs),
        accuracy_figure(
            shares, about, Curve(training.epochs, values * 0.987, training.accepted), kept=epochs
        ),
    ):
        assert_readable(figure)
        legend = figure.legends[0].get_window_extent()
        assert legend.x0 >= 0
        assert legend.x1 <= figure.bbox.width
        axes = figure.axes[0].get_window_extent()
        assert axes.width > 0.85 * figure.bbox.width  # no text has squeezed it
        assert axes.height > 0.6 * figure.bbox.height


@pytest.mark.parametrize(
    "values", [[math.nan, math.inf], [0.5, math.nan], [1e308, 0.1], [0.0, 0.0], [5e-324, 1.0]]
)
@pytest.mark.filterwarnings("error")
def test_any_validation_makes_a_picture(values):
    validation = curve(values, [0, 1])
    count = int((~validation.drawable).sum())
    for draw, training in (
        (cost_figure, [0.5, 0.4]),
        (cost_figure, [math.nan] * 2),
        (accuracy_figure, [0, 1]),
    ):
        figure = draw(curve(training, [0, 1]), "", validation, kept=1)
        assert_readable(figure)
        written = all_text(figure)
        assert ("no finite value" in written) == (math.isnan(training[0]) and count == 2)
        assert (f"validation: {count} nan or infinite" in written) == (count > 0)


def test_rate_marks_rejected_steps_and_takes_a_log_scale_only_when_it_helps():
    figure = rate_figure(curve([0.1, 0.2, 1.1], [1, 0, 1]))
    lines = lines_of(figure)
    assert lines["step rejected"].get_xdata().tolist() == [2]
    assert lines["step accepted"].get_xdata().tolist() == [1, 3]
    assert lines["step rejected"].get_marker() != lines["step accepted"].get_marker()
    assert figure.axes[0].get_yscale() == "log"
    assert "log scale" in figure.axes[0].get_ylabel()
    assert rate_figure(curve([0.1, 0.2])).axes[0].get_yscale() == "linear"
    assert rate_figure(curve([0.0, 0.2, 100])).axes[0].get_yscale() == "linear"


def cosine(epochs, end=0.0):
    return end + (0.1 - end) * 0.5 * (1 + np.cos(np.pi * np.arange(epochs) / (epochs - 1)))


SCHEDULES = {
    "factors down": (0.1 * 0.9 ** np.arange(90), "log"),
    "factors up and down": (10.0 ** -np.abs(np.linspace(-4, 4, 50)), "log"),
    "stairs of tenths": (0.1 * 0.1 ** (np.arange(90) // 30), "log"),
    "stairs of unlike length": (np.repeat([0.1, 0.01, 0.001], [50, 25, 15]), "log"),
    "two rates": (np.array([0.01, 1.0]), "log"),
    "cosine": (cosine(100), "linear"),
    "cosine almost to zero": (cosine(100, 1e-9), "linear"),
    "cosine over two decades": (cosine(100, 0.001), "linear"),
    "one-cycle": (np.concatenate([np.linspace(0.016, 0.4, 30), 4 * cosine(70, 1e-6)]), "linear"),
    "straight to zero": (np.linspace(0.1, 0, 40), "linear"),
    "factors to zero": (np.append(0.1 * 0.5 ** np.arange(20), 0), "linear"),
    "constant": (np.full(30, 0.1), "linear"),
    "one epoch": (np.array([0.1]), "linear"),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.filterwarnings("error")
def test_rate_axis_suits_the_schedule(name):
    rates, scale = SCHEDULES[name]
    figure = rate_figure(curve(rates))
    assert figure.axes[0].get_yscale() == scale
    assert_readable(figure)
    low, high = figure.axes[0].get_ylim()
    assert low < rates.min() <= rates.max() < high
    ticks = [tick for tick in figure.axes[0].get_yticks() if low <= tick <= high]
    assert len(ticks) >= 3


def test_a_constant_rate_is_a_level_line_above_zero():
    for rates in ([0.1], [0.1] * 5, [0.1, 0.1 + 1e-17, 0.1 + 1e-12]):
        assert rate_figure(curve(rates)).axes[0].get_ylim() == pytest.approx((0, 0.125))
    assert rate_figure(curve([0.1, 0.101])).axes[0].get_ylim()[0] > 0.09


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


def test_rejected_trials_alone_make_a_picture():
    assert_readable(cost_figure(curve([3, 2], [0, 0])))

"""The time of each epoch: stacks that add up, shares of the whole, and an axis that a cold start does not flatten."""

import math
from itertools import pairwise

import numpy as np
import pytest

from nn.plotting.histories import PHASES, Phases
from nn.plotting.phases import LOOKS, phases_figure
from nn.plotting.style import house_style
from nn.plotting.textfiles import NotDrawableError
from tests.support.figures import all_text, assert_readable, lightness

EVEN = {"schedule": 0.1, "read": 0.2, "compute": 0.4, "sum": 0.2, "update": 0.1}


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def run(totals, shares=EVEN, epochs=None):
    """Epochs of so many seconds, all parted alike."""
    parted = np.array([shares[name] for name in PHASES])
    epochs = range(1, len(totals) + 1) if epochs is None else epochs
    return Phases(np.array(epochs), np.array(totals, dtype=float)[:, None] * parted)


def noisy(n, cold=30.0, shares=EVEN):
    """A run of n epochs whose first is slow."""
    totals = np.random.default_rng(n).uniform(0.3, 0.5, n)
    totals[0] = cold
    return run(totals, shares)


def stacks_of(figure):
    """Phase -> (tops, edges, feet), as drawn, from the lowest."""
    patches = figure.axes[0].patches
    return {patch.get_label().partition(" ")[0]: patch.get_data() for patch in patches}


def heights(figure, name):
    tops, _, feet = stacks_of(figure)[name]
    return (tops - feet)[~np.isnan(tops)]


def top(figure):
    return figure.axes[0].get_ylim()[1]


def arrowheads(figure):
    """(epoch, height) of each."""
    lines = figure.axes[0].get_lines()
    return [place for line in lines for place in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def test_each_epoch_is_a_bar_of_its_phases_one_on_the_other():
    seconds = np.array([[1, 2, 3, 4, 5], [3, 8, 7, 6, 5]])
    figure = phases_figure(Phases(np.array([1, 2]), seconds), "mnist")
    stacks = stacks_of(figure)
    assert list(stacks) == ["compute", "read", "sum", "schedule", "update"]
    foot = np.zeros(2)
    for name, (tops, edges, feet) in stacks.items():
        np.testing.assert_allclose(edges, [0.65, 1.35, 1.65, 2.35])
        assert math.isnan(tops[1])  # the gap
        np.testing.assert_allclose(feet[::2], foot)
        np.testing.assert_allclose(tops[::2] - foot, seconds[:, PHASES.index(name)])
        foot = tops[::2]
    np.testing.assert_allclose(foot, [15, 29])
    assert figure.axes[0].get_ylim() == (0, pytest.approx(1.05 * 29))
    assert figure.axes[0].get_ylabel() == "time per epoch (s)"


def test_short_epochs_are_in_milliseconds():
    figure = phases_figure(run([0.2, 0.4]))
    assert figure.axes[0].get_ylabel() == "time per epoch (ms)"
    np.testing.assert_allclose(heights(figure, "compute"), [80, 160])
    assert top(figure) == pytest.approx(420)
    assert "2 epochs in 600 ms" in all_text(figure).split("\n")  # and no median, of two


def test_the_legend_has_each_phases_share_of_the_whole_run():
    figure = phases_figure(Phases(np.array([1, 2]), np.array([[1, 0, 6, 0, 0.001], [2, 0, 1, 0, 0.001]])))
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["compute 70 %", "read 0 %", "sum 0 %", "schedule 30 %", "update <1 %"]
    seconds = np.tile([0, 0, 1, 0, 0], (101, 1))  # a last window of one epoch counts as one
    seconds[100] = [25, 0, 0, 0, 0]
    assert "schedule 20 %" in all_text(phases_figure(Phases(np.arange(1, 102), seconds)))
    almost = phases_figure(run([1.0], dict.fromkeys(PHASES, 1e-5) | {"schedule": 1}))
    assert "schedule >99 %" in all_text(almost)
    assert "compute 100 %" in all_text(phases_figure(run([1.0], dict.fromkeys(PHASES, 0) | {"compute": 1})))


def test_the_subtitle_says_how_long_it_took():
    assert "mnist · 1 epoch in 10 s" in all_text(phases_figure(run([10]), "mnist")).split("\n")
    written = all_text(phases_figure(run([1, 2, 3, 4, 2000], dict.fromkeys(PHASES, 0) | {"read": 1})))
    assert "5 epochs in 2,010 s · median epoch 3 s" in written
    assert "median epoch 1 s" in all_text(phases_figure(run([0.99999] * 3)))
    assert "median epoch 999 ms" in all_text(phases_figure(run([0.999] * 3)))
    assert "median epoch 100 s" in all_text(phases_figure(run([99.96] * 3)))


def test_a_cold_first_epoch_is_cut_and_marked():
    figure = phases_figure(run([9.0, 1.0, 1.2, 1.1], EVEN))
    assert top(figure) == pytest.approx(1.05 * 1.2)
    assert arrowheads(figure) == [(1, top(figure))]
    assert "▲ epoch 1 above the axis: 9 s" in all_text(figure)
    assert "mostly" not in all_text(figure)
    assert heights(figure, "compute")[0] == pytest.approx(3.6)  # the bar itself is true
    cold = phases_figure(Phases(np.array([4, 5]), np.array([[8, 0, 1, 0, 0], [1, 0, 1, 0, 0]])))
    assert "▲ epoch 4 above the axis: 9 s, mostly schedule" in all_text(cold)
    assert arrowheads(cold) == [(4, pytest.approx(2.1))]


@pytest.mark.parametrize(
    ("totals", "reach", "cut"),
    [
        ([5], 5, []),
        ([5, 2.5], 5, []),
        ([5, 2.4], 2.4, [1]),
        ([1, 1, 7], 1, [3]),
        ([3, 3, 3, 1, 1, 1], 3, []),  # half of them are slow: so the run was
        ([9, 9, 1, 1, 1, 1], 9, []),
        ([9, 5] + [1] * 18, 1, [1, 2]),
        ([9, 1.9] + [1] * 18, 1.9, [1]),
        ([9, 5, 9] + [1] * 17, 9, []),
        ([0, 0, 4], 4, []),
        ([1e-12, 1e-12, 4], 4, []),
    ],
)
def test_only_few_and_much_slower_epochs_leave_the_axis(totals, reach, cut):
    figure = phases_figure(run(totals))
    assert_readable(figure)
    scale = 1000 if reach < 1 else 1
    assert top(figure) == pytest.approx(1.05 * reach * scale)
    assert [epoch for epoch, _ in arrowheads(figure)] == cut
    assert ("above the axis" in all_text(figure)) == bool(cut)


def test_several_cut_epochs_are_counted():
    figure = phases_figure(run([5, 9] + [1] * 18))
    assert "▲ 2 epochs above the axis, up to 9 s" in all_text(figure)
    windows = phases_figure(run([90.0] * 20 + [1.0] * 380))
    assert "▲ 5 windows above the axis, up to 90 s" in all_text(windows)


def test_up_to_sixty_epochs_are_bars_and_more_make_an_area_without_seams():
    bars, edges, _ = stacks_of(phases_figure(run([1.0] * 60)))["sum"]
    assert np.isnan(bars).sum() == 59
    area, edges, _ = stacks_of(phases_figure(run([1.0] * 61)))["sum"]
    np.testing.assert_array_equal(edges, np.arange(0.5, 62))
    assert len(area) == 61
    assert not np.isnan(area).any()


def test_epochs_without_a_line_leave_a_gap():
    _, edges, _ = stacks_of(phases_figure(run([1, 2], epochs=[1, 4])))["sum"]
    np.testing.assert_allclose(edges, [0.65, 1.35, 3.65, 4.35])
    area, edges, feet = stacks_of(phases_figure(run([1.0] * 80, epochs=[*range(1, 41), *range(51, 91)])))[
        "sum"
    ]
    assert np.flatnonzero(np.isnan(area)).tolist() == [40]
    assert edges[40:42].tolist() == [40.5, 50.5]
    assert feet[40] == 0


def test_many_epochs_are_drawn_as_means_over_windows():
    totals = np.arange(1.0, 251)
    figure = phases_figure(run(totals))
    tops, edges, feet = stacks_of(figure)["compute"]
    assert len(tops) == 84
    assert edges[:3].tolist() == [0.5, 3.5, 6.5]
    assert edges[-2:].tolist() == [249.5, 250.5]  # the last window has one epoch
    np.testing.assert_allclose(tops[:2], [0.4 * 2, 0.4 * 5])
    assert tops[-1] == pytest.approx(0.4 * 250)
    assert np.sum((tops - feet) * np.diff(edges)) == pytest.approx(0.4 * totals.sum())
    assert "drawn as means over 3 epochs" in all_text(figure)
    assert "drawn as" not in all_text(phases_figure(run(totals[:100])))


def test_a_cold_first_epoch_among_many_cuts_its_window():
    figure = phases_figure(noisy(500))
    assert top(figure) < 600
    assert arrowheads(figure) == [(3, top(figure))]
    total = noisy(500).seconds[:5].sum() / 5
    assert f"▲ mean of epochs 1 to 5 above the axis: {total:.3g} s" in all_text(figure)


@pytest.mark.parametrize("cold", [0.4, 30])
@pytest.mark.parametrize("n", [1, 2, 3, 25, 60, 61, 100, 101, 500, 12345])
def test_runs_of_any_length_are_readable(n, cold):
    about = "a data set with rather a l…g name, drawn"
    tiny = dict.fromkeys(PHASES, 0.0025)  # the longest entries a legend can have
    for shares in (EVEN, tiny | {"compute": 1}, tiny | {"schedule": 1}):
        figure = phases_figure(noisy(n, cold, shares), about)
        assert_readable(figure)
        legend, axes = figure.legends[0].get_window_extent(), figure.axes[0].get_window_extent()
        assert legend.x0 >= 0
        assert legend.x1 <= figure.bbox.width
        assert axes.width > 0.85 * figure.bbox.width
        assert axes.height > 0.6 * figure.bbox.height
        assert 0 < axes.y0 - legend.y1 < 0.15 * figure.bbox.height
        assert len({round(text.get_window_extent().y0) for text in figure.legends[0].get_texts()}) == 1
        assert all(len(data[0]) <= 200 for data in stacks_of(figure).values())
        left, right = figure.axes[0].get_xlim()
        assert left <= 0.5
        assert right >= n + 0.5
        assert right - left >= 7  # a single bar is no wall


def test_neighbors_differ_in_a_gray_print_and_the_others_by_their_hatch():
    looks = list(LOOKS.values())
    assert set(LOOKS) == set(PHASES)
    assert all(abs(lightness(a.color) - lightness(b.color)) > 0.25 for a, b in pairwise(looks))
    for i, a in enumerate(looks):
        for b in looks[:i]:
            apart = abs(lightness(a.color) - lightness(b.color))
            assert apart > 0.25 or (apart > 0.1 and a.hatch != b.hatch)
    figure = phases_figure(run([1.0]))
    for patch, look in zip(figure.axes[0].patches, looks, strict=True):
        assert patch.get_hatch() == look.hatch
        assert lightness(patch.get_facecolor()[:3]) == pytest.approx(lightness(look.color), abs=0.01)
        assert patch.get_linewidth() == 0  # else a thin phase would vanish below its neighbors' lines


def test_a_run_without_time_makes_no_picture():
    with pytest.raises(NotDrawableError, match="the seconds of all its phases are 0"):
        phases_figure(run([0, 0]))


@pytest.mark.parametrize("totals", [[1e9] * 3, [1e-9], [1e-8, 1e9], [1e9, 0, 1e-300], [0, 1e-7], [5e-324, 1]])
@pytest.mark.filterwarnings("error")
def test_any_seconds_make_a_picture(totals):
    assert_readable(phases_figure(run(totals)))


@pytest.mark.parametrize("epochs", [[0], [2**53 - 1, 2**53], [1, 2**53]])
@pytest.mark.filterwarnings("error")
def test_any_epoch_numbers_make_a_picture(epochs):
    phases_figure(run([1] * len(epochs), epochs=epochs)).draw_without_rendering()

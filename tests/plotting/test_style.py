"""The common look: nothing is cut off, nothing is taken for mathematics, the same values give the same bytes."""

from pathlib import Path

import numpy as np
import pytest

from nn.plotting.curves import cost_figure
from nn.plotting.histories import Curve
from nn.plotting.labels import class_labels, plain
from nn.plotting.style import DARK, MIDDLE, PALE, SECOND, canvas, heading, house_style, legend_below, save
from nn.plotting.textfiles import NotWrittenError
from nn.plotting.weights import SIGNED
from tests.support.figures import lightness


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def some_figure():
    costs = np.array([1.0, 0.6, 0.9, 0.5])
    return cost_figure(Curve(np.arange(1, 5), costs, costs != 0.9), "mnist")


def test_colors_stay_apart_in_a_gray_print():
    grays = sorted(lightness(color) for color in (DARK, MIDDLE, PALE))
    assert min(np.diff(grays)) > 0.2
    assert lightness(SECOND) - lightness(DARK) > 0.2
    signed = [lightness(color) for color in SIGNED(np.linspace(0, 1, 50))[:, :3]]
    assert min(np.diff(signed)) > 0  # dark is negative, light is positive, also without color


def test_plain_keeps_both_ends_and_one_line():
    assert plain("Ankle boot", 11) == "Ankle boot"
    assert plain("a\nb\t c\x00", 11) == "a b c"
    assert plain("one hundred and twenty", 10) == "one hu…nty"
    assert all(len(plain("x" * 50, n)) == n for n in range(4, 50))


def test_heading_breaks_a_long_subtitle_between_its_parts():
    figure, axes = canvas()
    parts = [
        "a data set with rather a l…g name, drawn",
        "test accuracy 97.03 %",
        "12345 epochs",
        "x" * 110,
        "end",
    ]
    heading(axes, "Title", " · ".join(parts))
    written = axes.texts[0].get_text()
    assert written == " · ".join(parts[:3]) + "\n" + parts[3] + "\n" + parts[4]
    figure.draw_without_rendering()
    subtitle = axes.texts[0].get_window_extent()
    title = axes.get_title(loc="left")
    assert title == "Title\n"
    first_line = axes._left_title.get_window_extent()
    assert first_line.y1 - subtitle.y1 > 15 * 150 / 72  # the title's own height stays free


@pytest.mark.parametrize(
    ("count", "length", "columns"),
    [(3, 10, 3), (4, 16, 4), (4, 20, 3), (6, 26, 3), (6, 30, 2), (5, 42, 2), (3, 100, 1)],
)
def test_legend_has_as_many_columns_as_fit(count, length, columns):
    figure, axes = canvas()
    for i in range(count):
        axes.plot([0, 1], [0, i], label="n" * length)
    legend_below(figure, axes)
    figure.draw_without_rendering()
    legend = figure.legends[0]
    assert legend.get_window_extent().width <= figure.bbox.width
    lefts = {round(text.get_window_extent().x0) for text in legend.get_texts()}
    assert len(lefts) == columns


def test_class_labels_fall_back_to_numbers():
    assert class_labels(None, 3, 9) == ["0", "1", "2"]
    assert class_labels(["cat", "", "\u304a"], 3, 9) == ["cat", "1", "2"]
    assert class_labels(["same", "same"], 2, 9) == ["0 same", "1 same"]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_values_give_the_same_bytes(tmp_path, kind):
    first, second = (save(some_figure(), tmp_path / f"{name}.{kind}").read_bytes() for name in "ab")
    assert first == second
    assert b"Software" not in first  # a new version of the library alone changes nothing
    assert len(first) > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{kind}", f"b.{kind}"]


def test_a_picture_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "cost_history.png"
    path.write_text("old")
    figure = some_figure()

    def full_disk(target, **_):
        target.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full_disk)
    with pytest.raises(NotWrittenError, match="No space left on device"):
        save(figure, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["cost_history.png"]


def test_where_nothing_can_be_written_nothing_is_removed_either(tmp_path, monkeypatch):
    def read_only(*_, **__):
        raise OSError(30, "Read-only file system")

    figure = some_figure()
    monkeypatch.setattr(figure, "savefig", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(NotWrittenError, match="a.png: cannot be written .Read-only file system.$"):
        save(figure, tmp_path / "a.png")

"""The pictures of a regression: its errors, in the unit of the target; no accuracy and no classes."""

import json

import numpy as np
import pytest

from nn.plotting import gallery
from nn.plotting.histories import read_history
from nn.plotting.regression import predicted_figure, residuals_figure
from nn.plotting.results import Predicted, read_predicted, read_summary
from nn.plotting.style import house_style
from nn.plotting.textfiles import BadFileError
from tests.support.figures import texts

ACTUAL = np.linspace(100, 200, 300)
VALUES = Predicted(ACTUAL, ACTUAL + 5 * np.sin(ACTUAL) + 1)


def said(figure):
    return [text.get_text() for text in texts(figure)]


def write_run(folder):
    header = "epoch,cost,accuracy,learning_rate,accepted,rows,seconds,val_cost,val_accuracy\n"
    lines = (f"{epoch},{1 / epoch},,0.1,1,70,0.2,{1.1 / epoch},\n" for epoch in range(1, 9))
    (folder / "history.csv").write_text(header + "".join(lines))
    test = {"rmse": 3.5, "mae": 2.5, "r2": 0.98, "cost": 0.1, "rows": 300, "baseline": 29.0}
    summary = {"data": {"name": "prices", "class_names": None}, "test": test, "train": {"best_epoch": 8}}
    (folder / "summary.json").write_text(json.dumps(summary))
    rows = zip(range(300), VALUES.actual, VALUES.predicted, strict=True)
    lines = (",".join(map(repr, map(float, row))) + "\n" for row in rows)
    (folder / "predicted.csv").write_text("row,actual,predicted\n" + "".join(lines))
    (folder / "examples.csv").write_text("row,actual,prediction,error,x0\n3,12.0,8.0,-4.0,0.5\n")


def test_a_regression_has_pictures_of_its_own(tmp_path, monkeypatch):
    write_run(tmp_path)
    figures, notes = {}, []
    monkeypatch.setattr(gallery, "save", lambda figure, path: figures.setdefault(path.stem, figure) and path)
    list(gallery.draw_run(tmp_path, "png", notes.append))
    assert list(figures) == ["cost_history", "learning_rate", "predicted", "residuals"]
    assert not any("accuracy" in note or "confusion" in note or "samples" in note for note in notes)
    assert "prices · test RMSE 3.5, R² 0.980 · 300 test rows drawn" in said(figures["predicted"])


def test_the_diagonal_and_the_points_are_where_they_belong():
    with house_style():
        (axes,) = predicted_figure(VALUES, "").axes
    (line,) = axes.lines
    assert np.array_equal(line.get_xdata(), line.get_ydata()) and axes.get_xlim() == axes.get_ylim()
    points = axes.collections[0].get_offsets()
    assert np.array_equal(points, np.stack([VALUES.actual, VALUES.predicted], axis=1))
    assert axes.get_xlim()[0] < points.min() and axes.get_xlim()[1] > points.max()


def test_residuals_are_predictions_less_actual_values():
    with house_style():
        upper, lower = residuals_figure(VALUES, "").axes
    errors = VALUES.predicted - VALUES.actual
    assert np.allclose(upper.collections[0].get_offsets()[:, 1], errors)
    assert sum(bar.get_height() for bar in lower.patches) == 300
    assert [line.get_xdata()[0] for line in lower.lines] == [0, errors.mean()]


@pytest.mark.parametrize("value", [0.0, -3.0, 1e29])
def test_values_that_are_all_equal_can_be_drawn(value):
    values = Predicted(np.full(1, value), np.full(1, value))
    with house_style():
        for draw in (predicted_figure, residuals_figure):
            assert "1 test row drawn" in said(draw(values, ""))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("row,actual\n1,2\n", "line 1: expected a column named 'predicted' in the header"),
        (
            "row,actual,predicted\n1,2,x\n",
            "line 2: expected a value, found 'x'|line 2: expected a number, found 'x'",
        ),
        ("row,actual,predicted\n", "expected at least one line after the header"),
    ],
)
def test_predictions_that_cannot_be_read_are_named(tmp_path, text, message):
    (tmp_path / "predicted.csv").write_text(text)
    with pytest.raises(BadFileError, match=message):
        read_predicted(tmp_path / "predicted.csv")


def test_an_accuracy_that_is_missing_in_one_line_is_an_error(tmp_path):
    write_run(tmp_path)
    path = tmp_path / "history.csv"
    assert read_history(path).accuracy is None and len(read_history(path).val_cost.values) == 8
    for first, second in (("0.5", ""), ("", "0.5")):
        path.write_text(
            f"epoch,cost,accuracy,learning_rate,accepted\n1,1,{first},0.1,1\n2,1,{second},0.1,1\n"
        )
        with pytest.raises(BadFileError, match="expected an accuracy in all lines or in none"):
            read_history(path)


def test_a_run_without_a_test_set_has_a_summary(tmp_path):
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"data": {"name": "a", "class_names": None}, "test": None}))
    assert read_summary(path).scores is read_summary(path).errors is None


def test_a_run_whose_score_is_not_finite_has_its_other_pictures(tmp_path):
    folder = tmp_path
    write_run(folder)
    summary = json.loads((folder / "summary.json").read_text())
    summary["test"] |= {"rmse": None, "r2": None}
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "predicted.csv").write_text("row,actual,predicted\n0,1.0,2.0\n1,1.0,inf\n")
    assert read_predicted(folder / "predicted.csv").actual.tolist() == [1.0]
    assert "predicted.png" in {path.name for path in gallery.draw_run(folder, "png", print)}
    (folder / "predicted.csv").write_text("row,actual,predicted\n1,1.0,inf\n")
    notes = []
    assert "predicted.png" not in {path.name for path in gallery.draw_run(folder, "png", notes.append)}
    assert any("predicted.csv has no finite values" in note for note in notes)

"""The columns of a table of predictions: names, types and values, and which rows can be predicted."""

import numpy as np
import pytest

from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import UNKNOWN, Category, Number, SharedScale, TableEncoder
from nn.layers import Conv2D, Dense, Flatten
from nn.models.classifier import Classifier, Regressor
from nn.models.losses import BinaryCrossEntropy
from nn.models.prediction_columns import LayerTable, OutputColumn, PredictionTable, usable_rows
from nn.models.regression_losses import SquaredError
from nn.models.sequential import Sequential


def network(labels=None, units=3, **fields):
    return Sequential((Dense(units),), (4,), decoder=ClassLabels(labels), **fields)


@pytest.mark.parametrize(
    ("labels", "type_name"),
    [
        (None, "long"),
        (("a", "b", "c"), "string"),
        ((1, 2, 7), "long"),
        ((0.5, 1, 2), "double"),
    ],
)
def test_predictions_have_the_type_of_the_labels(rng, labels, type_name):
    model = network(labels)
    params, inputs = model.init(0), rng.normal(size=(20, 4)).astype(np.float32)
    table = PredictionTable(model)
    assert table.columns == (OutputColumn("prediction", type_name),)
    (predicted,) = table.predict(params, inputs)
    assert predicted.tolist() == Classifier(model, params).predict(inputs).tolist()


def test_booleans_stay_booleans(rng):
    model = network((False, True), units=1, loss=BinaryCrossEntropy())
    table = PredictionTable(model, probabilities=True)
    assert [tuple(column) for column in table.columns] == [
        ("prediction", "boolean"), ("probability_false", "double"), ("probability_true", "double"),
    ]  # fmt: skip
    predicted, no, yes = table.predict(model.init(0), rng.normal(size=(50, 4)).astype(np.float32))
    assert predicted.dtype == bool and np.array_equal(predicted, yes > 0.5)
    np.testing.assert_allclose(no + yes, 1, rtol=1e-6)


def test_probabilities_and_top_are_those_of_the_classifier(rng):
    model = network(("low", "mid", "high"))
    params, inputs = model.init(1), rng.normal(size=(30, 4)).astype(np.float32)
    table = PredictionTable(model, probabilities=True, top=2)
    assert [column.name for column in table.columns] == [
        "prediction", "probability_low", "probability_mid", "probability_high",
        "top1", "top1_probability", "top2", "top2_probability",
    ]  # fmt: skip
    found = table.predict(params, inputs)
    expected = Classifier(model, params).predict_proba(inputs)
    np.testing.assert_array_equal(np.stack(found[1:4], axis=1), expected)
    assert np.array_equal(found[0], found[4])
    np.testing.assert_array_equal(found[5], np.sort(expected, axis=1)[:, -1])
    np.testing.assert_array_equal(found[7], np.sort(expected, axis=1)[:, -2])
    assert (found[4] != found[6]).all()


def test_of_equally_probable_classes_the_first_comes_first():
    model = network()
    params = [{name: np.zeros_like(values) for name, values in layer.items()} for layer in model.init(0)]
    found = PredictionTable(model, top=3).predict(params, np.ones((2, 4), np.float32))
    assert [found[index].tolist() for index in (0, 1, 3, 5)] == [[0, 0], [0, 0], [1, 1], [2, 2]]


def test_values_of_a_regression_are_in_the_unit_of_the_target(rng):
    model = Sequential((Dense(1),), (4,), SquaredError(), decoder=TargetScale(100.0, 7.0))
    params, inputs = model.init(0), rng.normal(size=(9, 4)).astype(np.float32)
    table = PredictionTable(model)
    assert table.columns == (OutputColumn("prediction", "double"),)
    np.testing.assert_array_equal(table.predict(params, inputs)[0], Regressor(model, params).predict(inputs))


@pytest.mark.parametrize("wanted", [{"probabilities": True}, {"top": 1}])
def test_a_regression_has_no_probabilities(wanted):
    model = Sequential((Dense(1),), (4,), SquaredError(), decoder=TargetScale())
    with pytest.raises(ValueError, match="expected a model of classes"):
        PredictionTable(model, **wanted)


def test_more_top_classes_than_classes_are_refused():
    with pytest.raises(ValueError, match="top: expected at most 3 classes, got 4"):
        PredictionTable(network(), top=4)


def test_usable_rows_are_those_that_the_encoder_accepts():
    nan, inf = np.nan, np.inf
    model = network(encoder=SharedScale(2.0))
    rows = np.array([[1, 2, 3, 4], [1, nan, 3, 4], [1, 2, inf, 4], [1, 2, 3, -inf]], np.float32)
    assert usable_rows(model, rows).tolist() == [True, False, False, False]
    assert usable_rows(model, np.ones((3, 4), np.uint8)).all()
    columns = (Number("a", fill=0.0), Number("b"), Category("c", ("x",), other=False, fill=True))
    model = Sequential((Dense(2),), (3,), encoder=TableEncoder(columns))
    rows = np.array(
        [[1, 2, 0], [nan, 2, 0], [1, nan, 0], [1, 2, nan], [1, 2, UNKNOWN], [inf, 2, 0]], np.float32
    )
    usable = usable_rows(model, rows)
    assert usable.tolist() == [True, True, False, True, False, False]
    model.prepare(rows[usable])
    for row in rows[~usable & np.isfinite(rows[:, 0])]:
        with pytest.raises(ValueError, match="column"):
            model.prepare(row[None])


def test_outputs_of_a_layer_are_a_column_each_and_images_are_flattened(rng):
    model = Sequential((Conv2D(2, 2), Flatten(), Dense(3)), (3, 3, 1))
    params, inputs = model.init(0), rng.normal(size=(5, 9)).astype(np.float32)
    table = LayerTable(model, 1)
    assert table.columns == tuple(OutputColumn(f"layer1_{index}", "float") for index in range(8))
    outputs = Classifier(model, params).layer_outputs(inputs, 1)
    assert outputs.shape == (5, 2, 2, 2)
    np.testing.assert_array_equal(np.stack(table.predict(params, inputs), axis=1), outputs.reshape(5, 8))


@pytest.mark.parametrize("bad", [[1], [0, 2], [0, 1, 2]])
def test_rows_that_cannot_be_predicted_have_no_cells(rng, bad):
    model = network(("low", "mid", "high"))
    params, inputs = model.init(1), rng.normal(size=(3, 4)).astype(np.float32)
    expected = PredictionTable(model, probabilities=True).predict(params, inputs)
    inputs[bad, 2] = np.nan
    table = PredictionTable(model, probabilities=True)
    columns, usable = table.arrays(params, inputs)
    assert np.flatnonzero(~usable).tolist() == bad and {len(column) for column in columns} == {3}
    for cells, column in zip(table.cells(params, inputs), expected, strict=True):
        assert [row for row, cell in enumerate(cells) if cell is None] == bad
        for row in set(range(3)) - set(bad):
            assert cells[row] == (column[row] if column.dtype.kind == "U" else pytest.approx(column[row]))


def test_rows_whose_outputs_are_not_finite_are_not_predicted():
    model = Sequential((Dense(3), Dense(3)), (4,))
    params = model.init(0)
    inputs = np.ones((3, 4), np.float32)
    params[0]["W"][:] = 3
    inputs[1] = 3e38
    _, usable = PredictionTable(model).arrays(params, inputs)
    assert usable.tolist() == [True, False, True]

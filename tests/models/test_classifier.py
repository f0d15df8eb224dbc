"""A saved model takes rows of the user's table and gives the user's labels, or values in the target's unit."""

import numpy as np
import pytest

import nn
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Category, Number, SharedScale, TableEncoder
from nn.layers import Dense, Tanh
from nn.models.classifier import Classifier, Regressor
from nn.models.losses import CrossEntropy
from nn.models.regression_losses import Huber, SquaredError
from nn.models.sequential import Sequential

ENCODER = TableEncoder(
    (Number("size", 100_000.0, 3.0, 2.0, fill=3.0), Category("color", ("blue", "red"), fill=True))
)
TABLE = {"color": ["red", None, "green"], "size": [100_005, 100_000.5, None]}
X = np.array([[1, 0, 1, 0], [-1.25, 0, 0, 0], [0, 0, 0, 1]], np.float32)


def saved(tmp_path, model, seed=0):
    nn.save(tmp_path / "model.npz", model, model.init(seed))
    return nn.load(tmp_path / "model.npz")


def test_classifier_takes_tables_and_gives_labels(tmp_path):
    model = Sequential((Tanh(), Dense(3)), (4,), CrossEntropy(), ENCODER, ClassLabels(("a", "b", "c")))
    classifier = saved(tmp_path, model)
    assert isinstance(classifier, Classifier) and classifier.model == model
    params = model.init(0)
    logits = np.tanh(X) @ params[1]["W"] + params[1]["b"]
    assert classifier.predict_index(TABLE).tolist() == logits.argmax(axis=1).tolist()
    assert classifier.predict(TABLE).tolist() == [("a", "b", "c")[i] for i in logits.argmax(axis=1)]
    assert classifier.predict_proba(TABLE).shape == (3, 3) and classifier.class_names == ("a", "b", "c")
    one = {name: column[:1] for name, column in TABLE.items()}
    assert np.allclose(classifier.predict_proba(one), classifier.predict_proba(TABLE)[:1])


def test_classifiers_are_compared_by_identity_and_can_be_keys(tmp_path):
    model = Sequential((Dense(3),), (2,), CrossEntropy(), SharedScale(2.0))
    first, second = saved(tmp_path, model), saved(tmp_path, model)
    assert first != second and len({first, second, first}) == 2


def test_classifier_of_class_numbers_gives_int64(tmp_path):
    classifier = saved(tmp_path, Sequential((Dense(3),), (2,), CrossEntropy(), SharedScale(2.0)))
    assert classifier.predict([[1, 2]]).dtype == np.int64 and classifier.class_names == ("0", "1", "2")


@pytest.mark.parametrize("loss", [SquaredError(), Huber(0.5)])
def test_regressor_gives_values_in_the_unit_of_the_target(tmp_path, loss):
    model = Sequential((Dense(1),), (4,), loss, ENCODER, TargetScale(200.0, 50.0))
    regressor = saved(tmp_path, model)
    assert isinstance(regressor, Regressor) and regressor.model.loss == loss
    params = model.init(0)[0]
    values = regressor.predict(TABLE)
    assert values.dtype == np.float64 and values.shape == (3,)
    assert np.allclose(values, (X @ params["W"] + params["b"])[:, 0] * 50 + 200)


def test_a_loss_and_a_decoder_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="expected a decoder that fits the loss mse"):
        Sequential((Dense(1),), (4,), SquaredError())
    with pytest.raises(ValueError, match="expected an input shape of the encoder's 4 inputs, got 3"):
        Sequential((Dense(1),), (3,), SquaredError(), ENCODER, TargetScale())


def test_a_prediction_names_the_column_that_is_missing(tmp_path):
    model = Sequential((Dense(2),), (4,), CrossEntropy(), ENCODER)
    with pytest.raises(ValueError, match="expected the columns 'size' too; the table has 'color'"):
        saved(tmp_path, model).predict({"color": ["red"]})


def test_a_row_whose_outputs_are_not_finite_is_told():
    model = Sequential(
        (Dense(2),), (2,), CrossEntropy(), TableEncoder((Number("a", scale=1e-3), Number("b")))
    )
    classifier = Classifier(model, model.init(0))
    with pytest.raises(ValueError, match="row 1: its values are too large for this model"):
        classifier.predict({"a": [1, 3e38], "b": [0, 0]})


def test_a_model_of_more_classes_than_labels_is_refused():
    model = Sequential((Dense(3),), (2,), CrossEntropy(), SharedScale(), ClassLabels(("a", "b", "c")))
    with pytest.raises(ValueError, match="expected labels of 3 classes, found 2"):
        Sequential.from_config({**model.config(), "labels": ["a", "b"]})


def test_layer_outputs_are_found_by_number_and_by_name(tmp_path):
    model = Sequential((Dense(4), Tanh(), Dense(3)), (4,), CrossEntropy(), ENCODER)
    classifier = saved(tmp_path, model)
    params = model.init(0)
    first = X @ params[0]["W"] + params[0]["b"]
    for layer in (1, "dense:4"):
        assert np.allclose(classifier.layer_outputs(TABLE, layer), first, atol=1e-6)
    assert np.allclose(classifier.layer_outputs(TABLE, "tanh"), np.tanh(first), atol=1e-6)
    logits = classifier.layer_outputs(TABLE, 3)
    assert logits.dtype == np.float32
    assert np.array_equal(logits.argmax(axis=1), classifier.predict_index(TABLE))


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("dense", r"expected one layer called 'dense', found 1 \(dense:4\), 3 \(dense:3\); give its number"),
        ("relu", r"expected a layer of the network \(1 dense:4, 2 tanh, 3 dense:3\), found 'relu'"),
        (0, "expected a layer of the network .*, found 0"),
        (4, "expected a layer of the network .*, found 4"),
    ],
)
def test_layers_that_are_not_there_or_have_one_name_are_refused(layer, message):
    model = Sequential((Dense(4), Tanh(), Dense(3)), (2,))
    with pytest.raises(ValueError, match=message):
        Classifier(model, model.init(0)).layer_outputs([[1, 2]], layer)


def test_a_regressor_has_layer_outputs_too():
    model = Sequential((Tanh(), Dense(1)), (2,), SquaredError(), decoder=TargetScale())
    assert np.allclose(Regressor(model, model.init(0)).layer_outputs([[1, 2]], 1), np.tanh([[1, 2]]))

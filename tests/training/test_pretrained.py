"""Training that starts from a trained model: what is kept, what is drawn, what is refused."""

import re

import numpy as np
import pytest

import nn
from nn.core import tree
from nn.data.decoding import ClassLabels
from nn.data.local_rdd import local_rdd
from nn.io import checkpoint
from nn.io.checkpoint import Checkpoint
from nn.models.classifier import Classifier, content_of
from nn.training.backend import Facts
from nn.training.local import LocalBackend
from nn.training.local_rows import rows_of
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from tests.support.data import blobs

INPUTS, LABELS = blobs(150, width=9)
OTHERS, NEW_LABELS = blobs(100, width=9, classes=5, seed=2)
NETWORK = {"layers": "dense:8,relu,dropout:0.2,dense:6,tanh", "loss": "cross-entropy"}
FULL = {**NETWORK, "layers": "dense:8,relu,dense:6,tanh", "sample": 1.0, "learning_rate": 0.05}
BATCHES = {**NETWORK, "optimizer": "adam", "batch_size": 25, "epochs": 3}


@pytest.fixture(scope="module")
def trained():
    """A classifier of three classes."""
    return nn.fit(INPUTS, LABELS, **BATCHES).classifier


def is_kept(found, before):
    """Whether each layer with weights has those of the model."""
    pairs = zip(found.params, before.params, strict=True)
    return [all(np.array_equal(a[name], b[name]) for name in a) for a, b in pairs if a]


def test_training_goes_on_from_the_weights_of_the_model():
    whole = nn.fit(INPUTS, LABELS, epochs=6, **FULL)
    half = nn.fit(INPUTS, LABELS, epochs=6, **FULL, start_from=whole.classifier)
    model = whole.classifier
    cost = model.model.loss.value(model.model.forward(model.params, INPUTS), LABELS, None) / len(LABELS)
    assert half.history[0].cost == pytest.approx(cost, rel=1e-6)
    assert half.history[-1].cost < whole.history[-1].cost


@pytest.mark.parametrize(
    "way",
    [
        {"batch_size": 50, "optimizer": "adam"},
        {"batch_size": 50, "average": "parameters"},
        {"learning_rate": 9.0},
        {"optimizer": "l-bfgs", "layers": "dense:8,relu", "keep_layers": 2},
    ],
)
def test_the_model_is_not_changed(trained, way):
    before = tree.copy(trained.params)
    nn.fit(INPUTS, LABELS, **{**NETWORK, "epochs": 2, **way}, start_from=trained)
    assert is_kept(trained, Classifier(trained.model, before)) == [True, True, True]


def test_the_encoder_goes_with_the_weights(trained):
    twice = nn.fit((OTHERS // 2).astype(np.uint8), NEW_LABELS % 3, **BATCHES, start_from=trained)
    assert twice.classifier.model == trained.model
    new = nn.fit(OTHERS // 2, NEW_LABELS, **BATCHES, start_from=trained, keep_layers=2)
    assert new.classifier.model.encoder == trained.model.encoder and new.classifier.classes == 5


def test_kept_layers_and_a_new_output_layer(trained):
    slow = {**BATCHES, "epochs": 1, "learning_rate": 1e-30}
    new = nn.fit(OTHERS, NEW_LABELS, **slow, start_from=trained, keep_layers=3).classifier
    drawn = new.model.init(0)
    assert np.array_equal(new.params[0]["W"], trained.params[0]["W"])
    assert all(np.array_equal(new.params[index]["W"], drawn[index]["W"]) for index in (3, 5))


def test_frozen_layers_keep_the_weights_of_the_model(trained):
    new = nn.fit(OTHERS, NEW_LABELS, **BATCHES, start_from=trained, keep_layers=5, freeze=3).classifier
    assert np.array_equal(new.params[0]["W"], trained.params[0]["W"])
    assert not np.array_equal(new.params[3]["W"], trained.params[3]["W"])


def test_the_rate_of_dropout_may_be_another(trained):
    layers = "dense:8,relu,dropout:0.7,dense:6,tanh"
    assert nn.fit(INPUTS, LABELS, **{**BATCHES, "layers": layers}, start_from=trained)


def test_a_path_is_a_model_too(trained, tmp_path):
    trained.save(tmp_path / "model.npz")
    one = nn.fit(INPUTS, LABELS, **BATCHES, start_from=tmp_path / "model.npz").classifier
    other = nn.fit(INPUTS, LABELS, **BATCHES, start_from=trained).classifier
    assert is_kept(one, other) == [True, True, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"layers": "dense:8,tanh"},
            "layer 2: expected relu as in the trained model, found tanh; its layers",
        ),
        ({"layers": "dense:8,relu,dropout:0.2,dense:6"}, "layer 5: expected tanh .*, found dense:3"),
        ({"loss": "mse"}, "layer 7: expected none as in the trained model, found sigmoid"),
        ({"keep_layers": 6}, "keep_layers: expected at most 5, the layers before the output's, .* found 6"),
        ({"initializer": "zeros"}, "initializer and start_from exclude each other"),
        ({"task": "regression", "loss": "mse"}, "task: expected classification .*, found regression"),
        (
            {"layers": "flatten,dense:8", "input_shape": "3x3x1"},
            "input_shape: expected 9 as of the trained model, found 3x3x1",
        ),
    ],
)
def test_another_network_is_refused(trained, options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        nn.fit(INPUTS, LABELS, **{**BATCHES, **options}, start_from=trained)


def test_rows_and_labels_that_the_model_does_not_take_are_refused(trained):
    with pytest.raises(ValueError, match="expected rows of 9 values, as the trained model takes, found 8"):
        nn.fit(INPUTS[:, :8], LABELS, **BATCHES, start_from=trained)
    message = re.escape("expected labels of the trained model's classes (0, 1, 2), found '3'; keep_layers")
    with pytest.raises(ValueError, match=message):
        nn.fit(OTHERS, NEW_LABELS, **BATCHES, start_from=trained)
    with pytest.raises(ValueError, match="keep_layers needs start_from"):
        nn.fit(OTHERS, NEW_LABELS, **BATCHES, keep_layers=1)
    with pytest.raises(
        ValueError, match="start_from: expected a classifier, a regressor or the path of a model"
    ):
        nn.fit(OTHERS, NEW_LABELS, **BATCHES, start_from=7)


def test_labels_get_the_numbers_of_the_model():
    names = np.array(["ant", "bee", "cow"])
    model = nn.fit(INPUTS, names[LABELS], **BATCHES).classifier
    some = LABELS > 0
    again = nn.fit(INPUTS[some], names[LABELS[some]], **BATCHES, start_from=model).classifier
    assert again.class_names == ("ant", "bee", "cow")
    assert np.mean(again.predict(INPUTS[some]) == names[LABELS[some]]) > 0.5


TABLE = {
    "age": np.arange(60.0),
    "time": 1_600_000_000 + np.arange(60) * 7,
    "city": np.array(["Rome", "Oslo", "Bonn"] * 20),
}
BOUGHT = np.arange(60) % 2
OF_TABLE = {"hidden": (4,), "activation": "relu", "loss": "cross-entropy", "batch_size": 20, "epochs": 2}


def test_a_table_is_packed_for_the_columns_of_the_model():
    model = nn.fit(TABLE, BOUGHT, **OF_TABLE).classifier
    other = {"more": TABLE["age"], "city": np.array(["Oslo", "Paris"] * 30), "time": TABLE["time"] + 1000}
    other["age"] = TABLE["age"]
    recipe = Recipe.of(**OF_TABLE)
    rows = rows_of(other, BOUGHT, None, recipe, model.model)
    assert rows.facts.width == 3 and set(rows.inputs[:, 2]) == {1.0, -1.0}  # Oslo, and one that is unknown
    assert rows.inputs[0, 1] == 1000  # less the offset of the model
    again = nn.fit(other, BOUGHT, **OF_TABLE, start_from=model).classifier
    assert again.model == model.model
    with pytest.raises(ValueError, match="expected the columns 'city' too"):
        nn.fit({"age": TABLE["age"], "time": TABLE["time"]}, BOUGHT, **OF_TABLE, start_from=model)
    with pytest.raises(ValueError, match="expected no missing values, found 1"):
        nn.fit({**TABLE, "age": [None, *range(59)]}, BOUGHT, **OF_TABLE, start_from=model)


def test_rows_that_were_packed_by_themselves_are_refused():
    model = nn.fit(TABLE, BOUGHT, **OF_TABLE).classifier
    recipe = Recipe.of(**OF_TABLE)
    facts = rows_of({**TABLE, "city": np.array(["Oslo", "Paris"] * 30)}, BOUGHT, None, recipe).facts
    with pytest.raises(
        ValueError, match="column 'city': expected rows that were packed for the trained model"
    ):
        TrainingRun.of(recipe, facts, start_from=content_of(model))
    renamed = {"years": TABLE["age"], "time": TABLE["time"], "city": TABLE["city"]}
    with pytest.raises(ValueError, match="expected the column 'age' of the trained model, found 'years'"):
        TrainingRun.of(recipe, rows_of(renamed, BOUGHT, None, recipe).facts, start_from=content_of(model))


def test_a_regression_keeps_the_scale_of_its_target():
    values = INPUTS.sum(axis=1) * 10.0
    options = {"task": "regression", "hidden": (6,), "activation": "relu", "batch_size": 30, "epochs": 2}
    model = nn.fit(INPUTS, values, **options).classifier
    again = nn.fit(INPUTS, values + 5000, **options, start_from=model).classifier
    assert again.model == model.model
    new = nn.fit(INPUTS, values + 5000, **options, start_from=model, keep_layers=2).classifier
    assert new.model.decoder.mean == pytest.approx(model.model.decoder.mean + 5000)
    classes = {**OF_TABLE, "hidden": (6,)}
    assert nn.fit(INPUTS, LABELS, **classes, start_from=model, keep_layers=2).classifier.classes == 3
    with pytest.raises(ValueError, match="task: expected regression as of the trained model, found class"):
        nn.fit(INPUTS, LABELS, **classes, start_from=model)


@pytest.mark.parametrize("average", ["gradients", "parameters"])
def test_a_checkpoint_of_frozen_layers_goes_on_to_the_same_bits(trained, average):
    recipe = Recipe.of(**{**BATCHES, "epochs": 4}, average=average, keep_layers=5, freeze=3, scale="largest")
    rows = rows_of(OTHERS, NEW_LABELS, None, recipe, trained.model)
    run = TrainingRun.of(recipe, rows.facts, start_from=content_of(trained))
    backend = LocalBackend(local_rdd(rows.inputs, rows.facts.labels))
    _, half, _, whole = run.epochs(backend)
    stored = checkpoint.from_bytes(checkpoint.to_bytes(Checkpoint(half, {}, {}, {}))).progress
    *_, last = run.epochs(backend, run.restore(stored))
    assert len(half.state.trial) == 3
    for one, other in zip(run.final_params(last), run.final_params(whole), strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_the_fingerprint_of_a_model_changes_with_its_weights(trained):
    content = content_of(trained)
    changed = [dict(layer) for layer in content.params]
    changed[0]["b"] = changed[0]["b"] + 1
    assert content.fingerprint == content._replace(about={"data": 1}).fingerprint
    assert content.fingerprint != content._replace(params=changed).fingerprint


def test_facts_of_fewer_classes_have_those_of_the_model(trained):
    facts = Facts(9, LABELS[LABELS < 2], 2, 255.0, are_pixels=True)
    run = TrainingRun.of(Recipe.of(**BATCHES), facts, start_from=content_of(trained))
    assert run.model.classes == 3 and run.model.decoder == ClassLabels()

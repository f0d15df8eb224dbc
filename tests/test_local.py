"""Training on arrays in memory: what the job does, without Spark."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, blobs

import nn
from nn.optimizers import Adam
from nn.validation import HoldOut

INPUTS, LABELS = blobs(300)


def test_fit_learns_and_predicts():
    classifier, history = nn.fit(
        INPUTS, LABELS, hidden=[16], activation="relu", loss="cross-entropy", optimizer="adam", batch_size=50,
        learning_rate=0.01, epochs=10,
    )  # fmt: skip
    test_inputs, test_labels = blobs(100, seed=5)
    assert np.mean(classifier.predict(test_inputs) == test_labels) > 0.95
    assert [line.epoch for line in history] == list(range(1, 11)) and classifier.model.scale == INPUTS.max()


def test_fit_takes_images_validation_augmentation_and_weights():
    classifier, history = nn.fit(
        INPUTS.reshape(-1, 4, 4, 1),
        LABELS,
        nn.Recipe.of(
            layers="conv2d:8x2,relu,flatten,dropout:0.1", loss="cross-entropy:0.05", epochs=8, patience=2,
            optimizer="adamw", schedule="one-cycle", learning_rate=0.02, batch_size=40, validation_fraction=0.2,
            augment="scale:0.05", class_weights="balanced", l2=1e-4, clip=5.0,
        ),
        weights=np.linspace(0.5, 1.5, 300),
    )  # fmt: skip
    assert all(line.val_cost > 0 and line.rows < 300 for line in history)
    assert classifier.predict_proba(INPUTS[:5]).shape == (5, 3)
    assert history[-1].val_accuracy > 0.6


@pytest.mark.parametrize(
    "options",
    [
        {"sample": 0.5},
        {"batch_size": 64},
        {"average": "parameters"},
        {"optimizer": "l-bfgs"},
        {"layers": "dense:4,relu,dropout:0.5"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_fit_gives_the_same_bits_again(options):
    runs = [nn.fit(INPUTS, LABELS, epochs=4, **options) for _ in range(2)]
    first, second = (run.classifier.params for run in runs)
    assert all(np.array_equal(a[key], b[key]) for a, b in zip(first, second, strict=True) for key in a)


def test_fit_descends_in_mini_batches_as_one_replica():
    options = {
        "hidden": [16],
        "activation": "relu",
        "loss": "cross-entropy",
        "optimizer": "momentum",
        "l2": 1e-4,
    }
    classifier, history = nn.fit(
        INPUTS, LABELS, average="parameters", batch_size=20, learning_rate=0.05, epochs=6, validation_fraction=0.2,
        **options,
    )  # fmt: skip
    assert history[-1].accuracy > 0.95 and history[-1].val_accuracy > 0.9 and history[-1].rows < 300
    test_inputs, test_labels = blobs(100, seed=5)
    assert np.mean(classifier.predict(test_inputs) == test_labels) > 0.93


def test_twenty_layers_train():
    words = ",".join(["dense:24,relu"] * 20)
    classifier, history = nn.fit(
        INPUTS, LABELS, layers=words, loss="cross-entropy", optimizer="adam", batch_size=50, epochs=12
    )
    assert len(classifier.model.layers) == 41 and history[-1].accuracy > 0.95


def test_fit_keeps_the_shape_of_images():
    for shape, expected in (((2, 8, 1), (2, 8, 1)), ((4, 4), (4, 4, 1)), ((2, 2, 4), (2, 2, 4))):
        images = INPUTS.reshape(-1, *shape)
        model = nn.fit(images, LABELS, layers="conv2d:3x2,relu,flatten", epochs=1).classifier.model
        assert model.input_shape == expected
        model = nn.fit(images, LABELS, hidden=[3], epochs=1).classifier.model
        assert model.input_shape == expected and model.layers[0].name == "flatten"
    with pytest.raises(ValueError, match="expected images of the input shape .16,., got .4, 4, 1."):
        nn.fit(INPUTS.reshape(-1, 4, 4), LABELS, input_shape=[16])
    with pytest.raises(ValueError, match="needs an image of at least 3x3, got an image of 2x8x1"):
        nn.fit(INPUTS.reshape(-1, 2, 8, 1), LABELS, layers="conv2d:3x3,relu,flatten")


def test_fit_makes_squares_of_rows_that_are_to_be_augmented():
    model = nn.fit(INPUTS, LABELS, augment="shift:1", epochs=1).classifier.model
    assert model.input_shape == (4, 4, 1) and model.layers[0].name == "flatten"


def test_fit_takes_what_python_users_have():
    lines = []
    same = [
        nn.fit(
            INPUTS.tolist(),
            LABELS.tolist(),
            hidden=(8,),
            epochs=np.int64(3),
            optimizer=Adam(),
            watch=lines.append,
        ),
        nn.fit(INPUTS, LABELS, hidden=[8], epochs=3, optimizer="adam"),
    ]
    assert np.array_equal(*(fit.classifier.params[0]["W"] for fit in same))
    assert [line.epoch for line in lines] == [1, 2, 3]
    signed = (INPUTS.astype(int) - 128).astype(np.int8)
    assert nn.fit(signed, LABELS, epochs=1).classifier.model.scale == 128
    recipe = nn.fit(INPUTS, LABELS, str(ROOT / "recipes" / "original.json"), np.ones(300))
    assert len(recipe.history) == 100


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.where(LABELS == 0, -1.0, 1.0), "expected weights from 0 to 1e[+]09, got -1 to 1"),
        (np.full(300, np.nan), "expected weights from 0"),
        (np.full(300, 1e10), "expected weights from 0 to 1e[+]09, got 1e[+]10 to 1e[+]10"),
        (np.ones(299), "expected 300 weights .n,., got an array of shape .299,."),
        (np.ones((300, 1)), "expected 300 weights"),
        (np.zeros(300), "expected training rows that weigh more than 0 together, found a sum of 0"),
        (
            np.where(HoldOut(0, 0.1, 300).chosen(np.arange(300)), 0.0, 1.0),
            "expected validation rows that weigh more",
        ),
    ],
)
def test_fit_refuses_weights_that_are_none(weights, message):
    with pytest.raises(ValueError, match=message):
        nn.fit(INPUTS, LABELS, weights=weights, validation_fraction=0.1, epochs=2)


def test_balanced_weights_are_of_the_rows_that_are_learned_from():
    held = HoldOut(0, 0.5, 300).chosen(np.arange(300))
    other = np.where(held, 0, LABELS)  # other labels where nothing may be learned
    options = {"class_weights": "balanced", "validation_fraction": 0.5, "epochs": 2, "batch_size": 50}
    first, second = (nn.fit(INPUTS, labels, **options).classifier.params for labels in (LABELS, other))
    assert np.array_equal(first[0]["W"], second[0]["W"])


@pytest.mark.parametrize(
    "wrong",
    [{"optimizer": "adam"}, {"epochs": -5}, {"hidden": [3]}, {"layers": ("relu",)}, {"l2": True}],
    ids=str,
)
def test_recipe_refuses_at_construction_what_its_options_would(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        nn.Recipe(**wrong)


def test_fit_refuses_inputs_that_are_none():
    for inputs in (
        INPUTS.astype(str),
        INPUTS[:, :0],
        INPUTS[:0],
        np.where(INPUTS > 250, np.nan, INPUTS),
        INPUTS[:, 0],
    ):
        with pytest.raises(ValueError, match="expected inputs"):
            nn.fit(inputs, LABELS[: len(inputs)])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS[:-1], "expected 300 labels"),
        (LABELS - 1, "expected labels in 0..999, got -1 to 1"),
        (LABELS + 10**12, "expected labels in 0..999"),
        (LABELS / 2, "expected 300 labels"),
        (np.eye(3)[LABELS], "expected 300 labels"),
    ],
)
def test_fit_refuses_labels_that_are_none(labels, message):
    with pytest.raises(ValueError, match=message):
        nn.fit(INPUTS, labels)


def test_a_classifier_predicts_many_rows_in_parts_as_few_at_once():
    classifier, _ = nn.fit(INPUTS, LABELS, epochs=2)
    many = np.tile(INPUTS, (8, 1))
    assert np.array_equal(classifier.predict(many), np.tile(classifier.predict(INPUTS), 8))
    assert np.allclose(classifier.predict_proba(many)[-300:], classifier.predict_proba(INPUTS), atol=1e-6)
    assert classifier.predict(INPUTS[:0]).shape == (0,) and classifier.predict_proba(INPUTS[:0]).shape == (
        0,
        3,
    )


def test_recipe_refuses_keys_that_nobody_knows(tmp_path):
    (tmp_path / "r.json").write_text('{"epoch": 3, "train_images": "x"}')
    with pytest.raises(ValueError, match="unknown option 'epoch'"):
        nn.Recipe.read(str(tmp_path / "r.json"))


def test_fit_refuses_what_is_said_twice_or_unknown():
    with pytest.raises(ValueError, match="expected a recipe or options, found both"):
        nn.fit(INPUTS, LABELS, nn.Recipe(), epochs=3)
    with pytest.raises(ValueError, match="unknown option 'epoch'; known: hidden, "):
        nn.fit(INPUTS, LABELS, epoch=3)
    with pytest.raises(ValueError, match="batch_size: expected a whole number of at least 1, found 0"):
        nn.fit(INPUTS, LABELS, batch_size=0)


RECIPES = sorted((ROOT / "recipes").glob("*.json"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_fits_images_of_its_data(path):
    recipe, about = nn.Recipe.read(str(path)), json.loads(Path(path).read_text())
    assert recipe.model(784, 2 if "binary" in path.stem else 10).classes in (2, 10)
    assert about["about"] and about["get_data"].startswith("python generate_data.py")


def test_there_are_the_recipes_that_are_promised():
    assert {"original", "binary", "mlp", "cnn", "lbfgs"} <= {path.stem for path in RECIPES}

"""Training on arrays in memory: what the job does, without Spark."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, blobs

import nn

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
    [{"sample": 0.5}, {"batch_size": 64}, {"optimizer": "l-bfgs"}, {"layers": "dense:4,relu,dropout:0.5"}],
    ids=lambda each: next(iter(each)),
)
def test_fit_gives_the_same_bits_again(options):
    runs = [nn.fit(INPUTS, LABELS, epochs=4, **options) for _ in range(2)]
    first, second = (run.classifier.params for run in runs)
    assert all(np.array_equal(a[key], b[key]) for a, b in zip(first, second, strict=True) for key in a)


def test_twenty_layers_train():
    words = ",".join(["dense:24,relu"] * 20)
    classifier, history = nn.fit(
        INPUTS, LABELS, layers=words, loss="cross-entropy", optimizer="adam", batch_size=50, epochs=12
    )
    assert len(classifier.model.layers) == 41 and history[-1].accuracy > 0.95


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS[:-1], "expected as many labels as inputs"),
        (LABELS - 1, "expected labels"),
        (LABELS / 2, "expected labels"),
        (np.eye(3)[LABELS], "expected labels"),
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
    with pytest.raises(ValueError, match="batch-size: expected a whole number of at least 1, found 0"):
        nn.fit(INPUTS, LABELS, batch_size=0)


RECIPES = sorted((ROOT / "recipes").glob("*.json"))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_fits_images_of_its_data(path):
    recipe, about = nn.Recipe.read(str(path)), json.loads(Path(path).read_text())
    assert recipe.model(784, 2 if "binary" in path.stem else 10).classes in (2, 10)
    assert about["about"] and about["get_data"].startswith("python generate_data.py")


def test_there_are_the_recipes_that_are_promised():
    assert {"original", "binary", "mlp", "cnn", "lbfgs"} <= {path.stem for path in RECIPES}

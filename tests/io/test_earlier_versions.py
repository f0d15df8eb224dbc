"""Models and checkpoints that version 0.1.0 wrote are read, and a run goes on from such a checkpoint."""

import json
from pathlib import Path

import numpy as np

import nn
from nn.core import npz
from nn.data.local_rdd import local_rdd
from nn.io import checkpoint
from nn.training.backend import Facts
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

FOLDER = Path(__file__).with_name("version_0_1_0")


def rows():
    """The training rows of the run: images (60, 9), labels (60,)."""
    draw = np.random.RandomState(0)
    labels = draw.randint(0, 3, 60)
    images = draw.randint(0, 200, (60, 9))
    images[np.arange(60), labels] = 255
    return images.astype(np.uint8), labels


def test_a_model_predicts():
    images, labels = rows()
    classifier = nn.load(FOLDER / "model.npz")
    assert classifier.predict_proba(images).shape == (60, 3)
    assert classifier.about["test_accuracy"] == np.mean(classifier.predict(images) == labels)


def test_a_run_goes_on_from_a_checkpoint():
    images, labels = rows()
    content = (FOLDER / "checkpoint.npz").read_bytes()
    point = checkpoint.from_bytes(content)
    recipe = Recipe.read(FOLDER / "config.json")
    run = TrainingRun.of(recipe, Facts(9, labels, 3, 255.0, 2))
    progress = run.restore(point.progress)
    assert texts_of(checkpoint.to_bytes(point._replace(progress=progress))) == texts_of(content)
    earlier = len(point.progress.history)
    assert earlier == recipe.epochs == 4 and point.versions["nn"] == "0.1.0"
    backend = LocalBackend(local_rdd(images, labels))
    backend.split(run.split)
    longer = TrainingRun.of(Recipe.of(**{**recipe_values(), "epochs": 6}), Facts(9, labels, 3, 255.0, 2))
    *_, last = longer.epochs(backend, progress)
    assert len(last.history) == 6 and last.history[:4] == point.progress.history


def texts_of(content):
    """The JSON text of a checkpoint with its arrays, in their order."""
    return [(name, array.dtype, array.tobytes()) for name, array in npz.from_bytes(content).items()]


def recipe_values():
    """The options of the run that belong to its recipe."""
    names = ("hidden", "activation", "loss", "batch_size", "optimizer", "learning_rate", "schedule")
    config = json.loads((FOLDER / "config.json").read_text())
    return {name: config[name] for name in (*names, "validation_fraction", "patience", "seed")}

"""Models, checkpoints and whole OUTPUT folders that version 0.1.0 wrote are read, and their runs go on."""

import csv
import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.core import fingerprint, npz
from nn.data.local_rdd import local_rdd
from nn.io import checkpoint
from nn.training.assembly import settled_as
from nn.training.backend import Facts
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from tests.support.submitting import MAIN, job, submit

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
    recipe = settled_as(Recipe.read(FOLDER / "config.json"), {})
    run = TrainingRun.of(recipe, Facts(9, labels, 3, 255.0, 2))
    progress = run.restore(point.progress)
    assert texts_of(checkpoint.to_bytes(point._replace(progress=progress))) == texts_of(content)
    earlier = len(point.progress.history)
    assert earlier == recipe.epochs == 4 and point.versions["nn"] == "0.1.0"
    backend = LocalBackend(local_rdd(images, labels))
    backend.split(run.split)
    longer = TrainingRun.of(dataclasses.replace(recipe, epochs=6), Facts(9, labels, 3, 255.0, 2))
    *_, last = longer.epochs(backend, progress)
    assert len(last.history) == 6 and last.history[:4] == point.progress.history


def texts_of(content):
    """The JSON text of a checkpoint with its arrays, in their order."""
    return [(name, array.dtype, array.tobytes()) for name, array in npz.from_bytes(content).items()]


# The command of version 0.1.0 that wrote version_0_1_0/output, with 2 epochs; its data were the rows above.
WORDS = ["--label-column", "0", "--partitions", "2", "--layers", "dense:4,tanh,dropout:0.2"]
WORDS += ["--loss", "cross-entropy", "--optimizer", "adam", "--batch-size", "20", "--seed", "3"]
WORDS += ["--validation-fraction", "0.2", "--patience", "9"]
CLOCKED = {"seconds", "schedule", "read", "compute", "sum", "update"}


def history(out):
    """The lines of history.csv without the measured times."""
    with (out / "history.csv").open() as file:
        return [
            {name: value for name, value in row.items() if name not in CLOCKED}
            for row in csv.DictReader(file)
        ]


@pytest.mark.parametrize("is_cut_short", [False, True])
def test_a_run_in_output_goes_on_to_the_model_of_a_straight_run(spark, tmp_path, is_cut_short):
    images, labels = rows()
    np.savetxt(tmp_path / "t.csv", np.column_stack([labels, images]), "%d", delimiter=",")
    earlier, out, straight = FOLDER / "output", tmp_path / "out", tmp_path / "straight"
    shutil.copytree(earlier, out)
    if is_cut_short:
        for path in (out / "_SUCCESS", out / "model.npz", *out.glob("checkpoints/epoch-000002-*")):
            path.unlink()
    data = ["t.csv", "-", "t.csv", "-"]
    done = submit(MAIN, *data, "out", *WORDS, "--epochs", "4", "--resume", cwd=tmp_path)
    epochs = 1 if is_cut_short else 2
    assert done.returncode == 0 and f"resumed   after epoch {epochs} of 4" in done.stdout, done.stdout[-3000:]
    set_ = str(tmp_path / "t.csv")
    job(spark, set_, "-", set_, "-", straight, *WORDS, "--epochs", "4", "--scale", "largest")

    versions = checkpoint.from_bytes(next(earlier.glob("checkpoints/*-000002-*.npz")).read_bytes()).versions
    assert versions["nn"] == "0.1.0"
    same_bits = versions["arithmetic"] == fingerprint.fingerprint()
    resumed, whole = (nn.load(folder / "model.npz").params for folder in (out, straight))
    for layer, other in zip(resumed, whole, strict=True):
        assert layer.keys() == other.keys()
        for name in layer:
            if same_bits:
                assert layer[name].tobytes() == other[name].tobytes(), name
            np.testing.assert_allclose(layer[name], other[name], rtol=1e-4, atol=1e-6)
    assert history(out)[:epochs] == history(earlier)[:epochs] and len(history(out)) == 4
    assert not same_bits or history(out) == history(straight)
    lines = (out / "cost_history" / "part-00000").read_text().splitlines()
    assert lines[:epochs] == (earlier / "cost_history" / "part-00000").read_text().splitlines()[:epochs]
    assert len(lines) == 4 and (out / "_SUCCESS").exists()

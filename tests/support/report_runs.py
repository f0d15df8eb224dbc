"""OUTPUT folders of small runs that nn.fit trains, as main_task.py writes them, for the report page."""

import numpy as np

import nn
from nn.core.format import line
from nn.data.block import Block
from nn.data.decoding import TargetScale
from nn.data.local_rdd import LocalBroadcast, LocalRDD
from nn.data.tables import pack_for
from nn.io import results
from nn.training.evaluation import evaluate

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    "a&amp;b \u2028'\"",
]
VERSIONS = {"nn": "0.2.0", "numpy": np.__version__, "python": "3.11"}


def write_run(folder, predictor, history, test, recipe=None, name="made"):
    """Write what a finished run leaves in OUTPUT, but for checkpoints and the model card."""
    inputs, labels = test
    model = predictor.model
    packed = pack_for(model.encoder, inputs)
    packed = np.asarray(inputs) if packed is None else packed
    block = Block(np.arange(len(packed)), packed, targets_of(model, labels))
    score = evaluate(LocalRDD([[block]]), model, LocalBroadcast(predictor.params), len(packed))
    files = {**results.history_files(history), **results.score_files(score, model.decoder, model.encoder)}
    options = {"train_images": "data/train.csv", "train_labels": "-", **(recipe or {})}
    files["config.json"] = results.to_json(options)
    files["summary.json"] = results.to_json(summary_of(predictor, history, score, len(packed), options, name))
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    predictor.save(folder / "model.npz")
    (folder / "_SUCCESS").write_text("")
    return folder


def targets_of(model, labels):
    if isinstance(model.decoder, TargetScale) or model.decoder.labels is None:
        return np.asarray(labels)
    return np.array([model.decoder.labels.index(label) for label in labels])


def summary_of(predictor, history, score, rows, options, name):
    last = history[-1]
    return {
        "configuration": {**options, "output": "out"},
        "versions": VERSIONS,
        "data": {"name": line(name), "class_names": None, "train": {"rows": 500}, "test": {"rows": rows}},
        "model": predictor.model.config(),
        "train": {
            "epochs": len(history),
            "rows": 500,
            "validation_rows": 0,
            "best_epoch": None,
            "cost": last.cost,
        },
        "test": results.score_summary(score, predictor.model.decoder),
        "seconds": {"reading": 1.5, "training": 2.5, "scoring": 0.25, "total": 4.5},
    }


def signed_images_run(folder):
    """The same with pixels from -1 to 1."""
    return images_run(folder, signed=True, scale="largest")


def images_run(folder, epochs=8, classes=3, signed=False, **options):
    """A network that tells stripes of 8 x 8 pixels apart, with mistakes."""
    rng = np.random.default_rng(0)
    labels = np.arange(240) % classes
    images = rng.integers(0, 120, (240, 64))
    images[np.arange(240)[:, None], labels[:, None] * 16 + np.arange(16)] += 130
    images[:12] = images[13:25]  # rows whose labels are wrong
    if signed:
        images = images / 127.5 - 1
    options = {"hidden": (6,), "loss": "cross-entropy", "learning_rate": 0.5, "epochs": epochs, **options}
    classifier, history = nn.fit(images, labels, **options)
    return write_run(
        folder, classifier, history, (images, labels), {"epochs": epochs, "hidden": [6]}, "stripes"
    )


def table_of(rows=160, seed=0):
    rng = np.random.default_rng(seed)
    city = rng.choice(np.array(HOSTILE, object), rows)
    age = rng.normal(40, 10, rows).round(1)
    return {"age": age, "<b>city</b>": city}, np.where(age + 8 * (city == HOSTILE[0]) > 42, *HOSTILE[:2])


def table_run(folder):
    """A table whose column, categories and classes have names of markup."""
    table, labels = table_of()
    classifier, history = nn.fit(
        table, labels, hidden=(4,), loss="cross-entropy", optimizer="adam", batch_size=20, epochs=6
    )
    return write_run(folder, classifier, history, (table, labels), {"epochs": 6}, HOSTILE[0])


def regression_run(folder):
    """Values of a target that lie near a line."""
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(120, 3))
    values = 100 + 20 * inputs @ [1.0, -2.0, 0.5] + rng.normal(size=120)
    options = {"layers": "dense:4,tanh", "loss": "mse", "optimizer": "adam", "batch_size": 40, "epochs": 10}
    regressor, history = nn.fit(inputs, values, task="regression", **options)
    return write_run(folder, regressor, history, (inputs, values), {"epochs": 10}, "line")

"""The page of the files in OUTPUT. Their columns are those of files that the code writes here, of made-up scores."""

from __future__ import annotations

import csv
from collections.abc import Mapping

import numpy as np

from nn.data.decoding import ClassLabels, TargetScale
from nn.io.results import score_files
from nn.plotting import gallery
from nn.spark.storage import checkpoints, error_file, lock_file, prediction_folder, run_directory
from nn.training.evaluation import Example, Score
from nn.training.records import Epoch
from nn.training.regression_score import RegressionScore, ValueExample, sample_of
from tools.docs.markdown import code, page, table

FILES = {  # what a training run writes -> (when there is one, what it holds)
    "config.json": (
        "always",
        "the options, defaults filled in; with another OUTPUT, `--config OUTPUT/config.json` runs the same again, to "
        "the bit ([recipes.md](recipes.md))",
    ),
    "history.csv": ("always", "[a line per epoch](#historycsv)"),
    "cost_history": ("always", "`part-00000`: the cost of each epoch, a number per line"),
    "accuracy_history": (
        "classification",
        "`part-00000`: the training accuracy of each epoch, a fraction per line",
    ),
    "model.npz": ("always", "[the network, its weights, encoder and labels](#modelnpz)"),
    "model.md": (
        "always",
        "a model card for people: data, columns, classes, scores, how to use the model and what it refuses; no times",
    ),
    "summary.json": ("always", "[configuration, versions, data, scores, times](#summaryjson)"),
    "metrics": ("classification with a test set", "`part-00000`: a line `(precision, recall, f1)` per class"),
    "tests": (
        "classification with a test set",
        "`part-00000`: `(prediction, label)` of the first fifteen test rows",
    ),
    "confusion_matrix.csv": (
        "classification with a test set",
        "[counts of test rows: rows are the truth, columns the predictions](#confusion_matrixcsv)",
    ),
    "examples.csv": ("with a test set", "[forty test rows, mistakes or large errors first](#examplescsv)"),
    "predicted.csv": ("regression with a test set", "[at most 2,000 random test rows](#predictedcsv)"),
    checkpoints.FOLDER: (
        "unless `--checkpoint-every 0`",
        "what `--resume` goes on from: `epoch-NUMBER-HASH.npz`, each with a manifest `.json` "
        "([operations.md](../operations.md#checkpoints-and---resume))",
    ),
    lock_file.NAME: (
        "while the run goes on",
        "host, process and start of the run that writes here "
        "([operations.md](../operations.md#which-output-a-run-takes))",
    ),
    error_file.NAME: (
        "where a run ends early",
        "why: one line of JSON with `code`, `kind` and `message` ([exit_codes.md](exit_codes.md)); the next run "
        "removes it",
    ),
    run_directory.SUCCESS: ("at the end", "empty; written last: where it is, all other files are complete"),
}
HISTORY = {
    "epoch": "from 1",
    "cost": "mean loss per training row, with penalties, where the epoch's step led",
    "accuracy": "fraction of training rows predicted correctly; empty in a regression",
    "learning_rate": "of the step that led to the point that this epoch measured",
    "accepted": "1, or 0 where the step was rejected and undone",
    "rows": "that the gradients are of, or that replicas learned from",
    "seconds": "of the epoch",
    "val_cost": "of the validation rows; empty without them",
    "val_accuracy": "of the validation rows; empty without them",
    "schedule": "seconds in Spark's jobs beside what follows: scheduling, sending, waiting for the slowest task",
    "read": "seconds of waiting for blocks and packing batches, in the tasks",
    "compute": "seconds in the layers, in the tasks",
    "sum": "seconds of adding gradients, in the tasks",
    "update": "seconds on the driver: the optimizer's step",
}
EXAMPLES = {
    "row": "number of the test row, from 0",
    "label": "its class (classification)",
    "prediction": "the predicted class or value",
    "probability": "of the predicted class (classification)",
    "actual": "its value (regression)",
    "error": "prediction less actual value (regression)",
    "x0": "the inputs as read: `x0`, `x1`, ..., or the names of a table's columns; `(another value)` is a category "
    "that the model does not know",
}
PREDICTED = {"row": "number of the test row", "actual": "its value", "predicted": "the predicted value"}
SUMMARY = {
    "configuration": "the options with all defaults filled in, and OUTPUT",
    "versions": "of `nn`, Spark, Python, NumPy and Java; `arithmetic` is a hash of how this machine rounds sums "
    "([reproducibility.md](../reproducibility.md))",
    "master": "Spark's master",
    "data": "name, class names, width, classes, and rows per class of both sets",
    "model": "the network as JSON, as in `model.npz`",
    "start": "with `--start-from` or `--freeze`: the path and the fingerprint of the model, the layers kept and "
    "frozen",
    "train": "`epochs`, `rows`, `validation_rows`, `best_epoch`, `resumed_after` (epochs of an earlier run, whose time "
    "is not in `seconds`), and the costs and accuracies of the weights that were kept",
    "test": "scores of the test set, or null: `accuracy`, `cost`, `rows`, `errors`, `macro`, `classes` with precision, "
    "recall, F1 and support, `reliability`, ten bins with `rows`, mean `probability` and `correct`; of two classes "
    "also `roc_auc` and `log_loss`; of a regression `rmse`, `mae`, `r2`, "
    "`cost`, `rows` and `baseline`, the RMSE of always predicting the mean. Ratios are fractions of 1.",
    "seconds": "by phase of the run; `training_phases` are sums of history.csv's phases",
}


def page_of_files() -> str:
    """Return the page."""
    written = {*run_directory.FILES, *run_directory.FOLDERS, run_directory.SUCCESS}
    assert written <= FILES.keys(), written - FILES.keys()
    return page(
        "Files in OUTPUT",
        "## Of main_task.py",
        table(("name", "written", "content"), ([_code(name), *FILES[name]] for name in FILES)),
        "Histories are written while the run goes on: on a local disk after every epoch, elsewhere at most every ten "
        "seconds. The folders hold `part-00000` and `_SUCCESS`, as Spark writes text. Numbers have their shortest "
        "exact form.",
        "### history.csv",
        _columns(Epoch._fields, HISTORY),
        "The five phases add up to `seconds`.",
        "### confusion_matrix.csv",
        "The first cell is `truth\\prediction`; then the names of the classes, and a row for each class.",
        "### examples.csv",
        _columns(_example_columns(), EXAMPLES),
        "### predicted.csv",
        _columns(_header(_regression_files()["predicted.csv"]), PREDICTED),
        "### summary.json",
        _columns(SUMMARY, SUMMARY),
        "### model.npz",
        "An uncompressed `.npz` of NumPy, without pickle: `np.load` reads it. `config` is a JSON text with the "
        "network, the encoder of the columns, the classes or the target's scale, and how it was trained. The arrays "
        "are named `LAYER.PARAMETER`, layers counted from 0: `0.W`, `0.b`; those of a residual block `3.0.W`, `3.2.W`.",
        "## Of predict_task.py",
        table(("name", "written", "content"), _prediction_rows()),
        "## Of generate_plots.py",
        table(
            ("picture", "from", "of"),
            (_picture_row(name, *entry) for name, entry in gallery.PICTURES.items()),
        ),
        "A picture whose file is not there is left out, which a line says. `--format` chooses the file type. All of a "
        "classification: [a finished run](../local_test/README.md). With `--html` `report.html` "
        "([report.md](../report.md)).",
        "## Of generate_data.py",
        "`mnist_images_train.csv`, `mnist_labels_train.csv`, `mnist_images_test.csv`, `mnist_labels_test.csv` and "
        "`dataset.json`, which names the set and its classes; with `--dataset customers` `customers.csv`. Each is "
        "written under another name first: what is there is complete.",
    )


def _picture_row(name: str, files: tuple[str, ...], _: object) -> list[str]:
    task = (
        "classification"
        if name in gallery.OF_CLASSES
        else "regression"
        if name in gallery.OF_VALUES
        else "both"
    )
    return [code(f"{name}.png"), " or ".join(map(_code, files)), task]


def _code(name: str) -> str:
    return code(f"{name}/" if name in (*run_directory.FOLDERS, checkpoints.FOLDER) else name)


def _columns(names: tuple[str, ...] | Mapping[str, str], described: Mapping[str, str]) -> str:
    """Return the table of columns. Each name has a description, and each description a name."""
    assert set(names) == set(described), set(names) ^ set(described)
    return table(
        ("column" if described is not SUMMARY else "key", ""), ([code(n), described[n]] for n in names)
    )


def _header(text: str) -> tuple[str, ...]:
    return tuple(next(csv.reader([text.splitlines()[0]])))


def _example_columns() -> tuple[str, ...]:
    score = Score(np.eye(2, dtype=np.int64), 0.0, (), (), (Example(0, 0, 0, 1.0, np.zeros(1)),))
    classes = _header(score_files(score, ClassLabels())["examples.csv"])
    return tuple(dict.fromkeys([*classes[:-1], *_header(_regression_files()["examples.csv"])]))


def _regression_files() -> dict[str, str]:
    one = np.zeros(1)
    example = ValueExample(0, 0.0, 0.0, one)
    score = RegressionScore(1, 0.0, 0.0, 0.0, 0.0, 0.0, (), (example,), sample_of(one.astype(int), one, one))
    return score_files(score, TargetScale(0.0, 1.0))


def _prediction_rows() -> list[list[str]]:
    content = {
        "summary.json": (
            "always",
            "configuration, versions, data, model, scores where there are labels, times; `not_predicted` counts "
            "rows with an empty prediction",
        ),
        "confusion_matrix.csv": ("classification with labels", "as above"),
        "examples.csv": ("with labels", "as above"),
        "predicted.csv": ("regression with labels", "as above"),
        "config.json": ("always", "the options"),
    }
    assert set(content) == set(prediction_folder.FILES)
    described = [
        "`row`, or the column of `--id-column`; the columns of `--keep`; `prediction`; with `--probabilities` "
        "`probability_NAME` of each class; with `--top K` `top1`, `top1_probability`, ...; with `--layer N` instead of "
        "all these `layerN_0`, `layerN_1`, ... ([scoring.md](../scoring.md#what-is-written))"
    ]
    rows = [[code(f"{prediction_folder.PREDICTIONS}/"), "always", *described]]
    rows += [[code(name), *content[name]] for name in prediction_folder.FILES]
    scores = ", ".join(code(f"{name}/") for name in prediction_folder.SCORES)
    rows.append([scores, "classification with labels", "as above"])
    rows.append([code(lock_file.NAME), *FILES[lock_file.NAME]])
    rows.append([code(error_file.NAME), *FILES[error_file.NAME]])
    rows.append([code(run_directory.SUCCESS), "at the end", "empty; written last"])
    return rows

"""The model card says what a model is, what it learned from, its scores and its limits, in Markdown."""

import copy
import re

import numpy as np
import pytest

import nn
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Category, Number, SharedScale, TableEncoder
from nn.io import model_card as card_module
from nn.io.model_card import model_card
from nn.layers import Dense, Relu
from nn.models.losses import CrossEntropy
from nn.models.regression_losses import SquaredError
from nn.models.sequential import Sequential

ENCODER = TableEncoder(
    (
        Number("size", 100_000.0, 3.0, 2.0, fill=3.0, indicator=True),
        Number("age"),
        Category("color", ("blue", "red"), fill=True),
    )
)
MODEL = Sequential((Dense(4), Relu(), Dense(2)), (6,), CrossEntropy(), ENCODER, ClassLabels(("no", "yes")))
SCORES = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 10}
SUMMARY = {
    "configuration": {
        "train_images": "data/a.csv",
        "train_labels": "-",
        "test_images": "data/b.csv",
        "test_labels": "data/c.csv",
        "label_column": "bought",
        "partitions": 4,
        "shuffle_once": False,
        "layers": "dense:4,relu",
        "loss": "cross-entropy",
        "task": "classification",
        "missing": "error",
        "epochs": 100,
        "sample": 0.7,
        "average": "gradients",
        "optimizer": "adam",
        "learning_rate": 0.001,
        "schedule": "constant",
        "l2": 0.5,
        "validation_fraction": 0.25,
        "patience": 3,
        "seed": 7,
        "output": "runs/x",
    },
    "versions": {"nn": "0.2.0", "spark": "4.3.0", "python": "3.11.7"},
    "master": "local[2]",
    "data": {
        "name": "a.csv",
        "class_names": None,
        "train": {"rows": 1200, "class_rows": [700, 500]},
        "test": {"rows": 20, "class_rows": [10, 10]},
    },
    "train": {
        "epochs": 12,
        "resumed_after": 0,
        "rows": 900,
        "validation_rows": 300,
        "best_epoch": 9,
        "val_cost": 0.25,
        "val_accuracy": 0.875,
    },
    "test": {
        "accuracy": 0.75,
        "cost": 0.5,
        "rows": 20,
        "errors": 5,
        "macro": {"precision": 0.5, "recall": 0.25, "f1": 1 / 3},
        "roc_auc": 0.9,
        "log_loss": 0.5,
        "classes": [{"class": name, **SCORES} for name in ("no", "yes")],
    },
    "seconds": {"total": 3.5},
}


def changed(**parts):
    """The summary with other values: changed(train={"best_epoch": None})."""
    summary = copy.deepcopy(SUMMARY)
    for name, values in parts.items():
        summary[name] = summary[name] | values if isinstance(values, dict) else values
    return summary


def section(card, heading):
    """The lines below a heading."""
    return card.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].strip()


def test_card_says_what_the_model_is():
    card = model_card(SUMMARY, MODEL)
    assert card.startswith(card_module.BEGINNING) and "\n# Model card: `a.csv`\n" in card
    assert (
        "it predicts one of 2 classes from 3 columns per row. A network of 3 layers with 38 parameters"
        in card
    )
    assert MODEL.summary() in section(card, "Network") and "`cross-entropy`" in section(card, "Network")
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == [
        "Data", "Columns", "Classes", "Scores", "Network", "Training", "Use", "Limits", "Versions",
    ]  # fmt: skip


def test_card_says_which_rows_it_learned_from():
    rows = section(model_card(SUMMARY, MODEL), "Data").splitlines()[2:]
    assert rows == [
        "| training | 900 | `data/a.csv` |",
        "| validation | 300 | held out of the training rows |",
        "| test | 20 | `data/b.csv`, labels `data/c.csv` |",
    ]
    split = changed(configuration={"test_images": "-", "test_labels": "-", "test_fraction": 0.1})
    place = "split off the training rows (`test_fraction` 0.1)"
    assert section(model_card(split, MODEL), "Data").splitlines()[-1] == f"| test | 20 | {place} |"


def test_card_says_what_becomes_of_each_column():
    rows = section(model_card(SUMMARY, MODEL), "Columns").splitlines()[4:]
    assert rows == [
        "| `size` | number | (value - 100003) / 2 | becomes 100003, and sets an input of its own |",
        "| `age` | number | value | is an error |",
        "| `color` | category | an input for each of `blue`, `red`; others share one more | gives zeros |",
    ]


def test_card_of_pixels_has_one_line_on_columns():
    model = Sequential((Dense(2),), (784,), CrossEntropy(), SharedScale(255.0))
    card = model_card(SUMMARY, model)
    assert section(card, "Columns") == "784 numbers. All are divided by 255. A missing value is an error."
    assert "SELECT predict(array_of_a_row)" in card and "rows (n, 784) -> labels" in card


def test_card_of_a_wide_table_stays_short():
    encoder = TableEncoder(tuple(Number(f"column {number}", fill=0.0) for number in range(5_000)))
    names = tuple(f"class {number}" for number in range(300))
    model = Sequential((Dense(300),), (5_000,), CrossEntropy(), encoder, ClassLabels(names))
    summary = changed(data={"train": {"rows": 9, "class_rows": [1] * 300}}, test=None)
    card = model_card(summary, model)
    assert len(card) < 12_000 and "4,950 more rows are left out here." in section(card, "Columns")
    assert "250 more rows are left out here." in section(card, "Classes")
    category = TableEncoder((Category("c", tuple(f"v{number}" for number in range(200)), other=False),))
    model = Sequential((Dense(2),), (200,), CrossEntropy(), category)
    assert "`v4`, ... (200 in all); others are an error" in section(model_card(SUMMARY, model), "Columns")


def test_card_has_the_scores_of_test_and_validation_rows():
    scores = section(model_card(SUMMARY, MODEL), "Scores")
    assert "On 20 test rows, of which none was learned from:" in scores
    for line in ("| ROC AUC | 0.9 |", "| macro f1 | 0.333333 |", "| cost: the mean loss per row | 0.5 |"):
        assert line in scores.splitlines()
    assert (
        "On 300 validation rows, held out of the training rows: cost 0.25, accuracy 0.875.\n\nThese rows chose"
        in scores
    )
    assert "| `yes` | 500 | 10 | 0.5 | 0.25 | 0.333333 |" in section(model_card(SUMMARY, MODEL), "Classes")


def test_card_without_patience_keeps_the_last_weights():
    card = model_card(changed(train={"best_epoch": None, "val_cost": None}), MODEL)
    assert section(card, "Training").startswith("12 epochs. Seed 7.") and "These rows chose" not in card
    assert "held out of the training rows: cost none, accuracy 0.875." in card


def test_card_says_where_there_were_no_test_rows():
    summary = changed(test=None, train={"validation_rows": 0, "best_epoch": None})
    del summary["data"]["test"]
    card = model_card(summary, MODEL)
    assert section(card, "Scores").startswith("There were no test rows: nothing says how well")
    assert (
        "test" not in section(card, "Data") + section(card, "Limits") and "| class | training rows |" in card
    )


def test_card_of_a_regression_has_its_scores_and_its_target():
    model = Sequential((Dense(1),), (6,), SquaredError(), ENCODER, TargetScale(20.0, 2.5))
    scores = {"rmse": 1.5, "mae": 1.0, "r2": 0.5, "cost": 0.25, "rows": 20, "baseline": 3.0}
    summary = changed(test=scores, data={"train": {"rows": 1200}}, train={"val_accuracy": None})
    card = model_card(summary, model)
    assert "A regression: it predicts a value from 3 columns per row." in card and "## Classes" not in card
    assert section(card, "Target").startswith(
        "Its mean in the training rows is 20, its standard deviation 2.5."
    )
    assert "| RMSE of always predicting the mean of the training rows | 3 |" in section(card, "Scores")
    assert "cost 0.25.\n\nThese rows chose" in section(card, "Scores") and "calibrated" not in card


def test_card_names_classes_as_the_data_set_does():
    card = model_card(changed(data={"class_names": ["a shoe", "a | bag"]}), MODEL)
    assert r"| `yes` | `a \x7c bag` | 500 | 10 |" in section(card, "Classes")
    other = model_card(
        changed(data={"class_names": ["a", "b", "c"]}), MODEL
    )  # of another set in the same folder
    assert other == model_card(SUMMARY, MODEL)


def test_options_at_their_defaults_are_left_out():
    rows = section(model_card(SUMMARY, MODEL), "Training").splitlines()
    names = [row.split("`")[1] for row in rows if row.startswith("| `")]
    # learning_rate and schedule are adam's own, sample is that of full steps
    chosen = "label_column partitions layers loss optimizer l2 validation_fraction patience seed"
    assert names == chosen.split()
    assert '| `label_column` | `"bought"` |' in rows and "| `l2` | `0.5` |" in rows
    assert rows[0] == "12 epochs; the weights of epoch 9 are kept. Seed 7."
    other = changed(configuration={"learning_rate": 0.1})
    assert "| `learning_rate` | `0.1` |" in section(model_card(other, MODEL), "Training").splitlines()


@pytest.mark.parametrize(
    ("column", "limits"),
    [
        (Number("a"), ["A row with a missing value cannot be predicted.", "Numbers beyond"]),
        (Number("a", fill=1.0), ["Missing values are filled as above", "Numbers beyond"]),
        (
            Category("a", ("x", "y"), fill=True),
            ["Missing values are filled", "Categories that were in no training row are all"],
        ),
        (
            Category("a", ("x", "y"), other=False),
            ["A row with a missing value", "A row with a category that was in no"],
        ),
    ],
)
def test_card_says_what_the_model_refuses(column, limits):
    encoder = TableEncoder((column,))
    model = Sequential((Dense(2),), (encoder.width,), CrossEntropy(), encoder)
    found = section(model_card(SUMMARY, model), "Limits").splitlines()
    assert all(line.startswith(f"- {start}") for line, start in zip(found, limits, strict=False))
    mixed = section(model_card(SUMMARY, MODEL), "Limits")
    assert "A row with a missing value cannot be predicted where it is in `age`." in mixed


def test_card_has_no_times_and_shows_no_texts_but_as_code():
    hostile = "a|b`\n# c\x1b[31m <script>"
    encoder = TableEncoder((Number(hostile), Category(f"{hostile}2", (hostile, "x"))))
    model = Sequential((Dense(2),), (4,), CrossEntropy(), encoder, ClassLabels((hostile, "y")))
    summary = changed(
        configuration={"train_images": hostile, "label_column": hostile, "test_labels": hostile},
        data={"name": hostile, "class_names": [hostile, "y"]},
    )
    card = model_card(summary, model)
    assert all(character.isprintable() for line in card.splitlines() for character in line)
    assert "<script>" not in re.sub(r"(`+) ?.*?[^`]\1(?!`)", "", card)
    tables = [line for line in card.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {3, 4, 5, 8}
    other = changed(seconds={"total": 99.0}, train={"resumed_after": 5}, master="yarn")
    assert model_card(other, MODEL) == model_card(SUMMARY, MODEL)


def test_lines_of_the_card_load_the_model(tmp_path, monkeypatch):
    nn.save(tmp_path / "model.npz", MODEL, MODEL.init(0))
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)\n```", model_card(SUMMARY, MODEL), re.DOTALL)
    names = {"rows": {"size": [1e5, None], "age": [3, 4], "color": ["red", None]}}
    exec(code, names)
    assert np.isin(names["model"].predict(names["rows"]), ["no", "yes"]).all()


@pytest.mark.parametrize(("kept", "which"), [(3, "all layers"), (1, "the first 1 layer")])
def test_the_card_names_the_model_that_training_started_from(kept, which):
    start = {"model": "runs/a/model.npz", "fingerprint": 64 * "c", "kept_layers": kept, "frozen_layers": 1}
    card = model_card({**SUMMARY, "start": start}, MODEL)
    line = (
        f"It started from the model `runs/a/model.npz` (fingerprint `{16 * 'c'}`): its encoder of the columns, and its "
        f"weights of {which}."
    )
    assert line in card.splitlines() and "It started from" not in model_card(SUMMARY, MODEL)

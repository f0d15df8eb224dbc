"""model.md: what a trained network is, what it learned from, how well it predicts, and how to use it.

It says what summary.json and the model file say, for people, without times: the same run writes the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from nn.core import format, spec
from nn.core.options import options_of
from nn.data.decoding import TargetScale
from nn.data.encoding import Category, Number, SharedScale, TableEncoder
from nn.data.model_columns import have_names
from nn.io.markdown import block, code, codes, table
from nn.models.sequential import Sequential
from nn.training.assembly import resolved
from nn.training.recipe import Recipe
from nn.training.run_options import RunOptions

BEGINNING = "<!-- main_task.py wrote this file; --overwrite replaces it. -->\n"
MOST_ROWS = 50  # of a table of columns or classes
MOST_NAMES = 5  # in a cell
PATH = 300  # characters of a path
PLACES = ("train_images", "train_labels", "test_images", "test_labels", "output")


def model_card(summary: dict[str, Any], model: Sequential) -> str:
    """Return the model card of a finished run, as Markdown; `summary` is the content of its summary.json."""
    sections = (_head, _data, _columns, _targets, _scores, _network, _training, _use, _limits, _versions)
    parts = [part for section in sections for part in section(summary, model)]
    return BEGINNING + "\n\n".join(parts) + "\n"


def _head(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    yield f"# Model card: {code(summary['data']['name'])}"
    task = "A regression: it predicts a value" if _is_regression(model) else _classes_of(model)
    given = format.counted(model.columns, "column" if _has_names(model) else "number")
    yield (
        f"{task} from {given} per row. A network of {format.counted(len(model.layers), 'layer')} with "
        f"{format.counted(_parameters(model), 'parameter')}, trained by main_task.py of spark-numpy-nn "
        f"{summary['versions']['nn']}. `model.npz` beside this file holds it, `summary.json` all numbers of its run."
    )


def _classes_of(model: Sequential) -> str:
    return f"A classification: it predicts one of {model.classes:,} classes"


# ---- what it learned from ----


def _data(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    configuration, data, train = summary["configuration"], summary["data"], summary["train"]
    yield "## Data"
    rows = [("training", f"{train['rows']:,}", _place(configuration, "train"))]
    if train["validation_rows"]:
        rows.append(("validation", f"{train['validation_rows']:,}", "held out of the training rows"))
    if "test" in data:
        split = f"split off the training rows (`test_fraction` {configuration.get('test_fraction')})"
        place = split if configuration["test_images"] == "-" else _place(configuration, "test")
        rows.append(("test", f"{data['test']['rows']:,}", place))
    yield table(("rows", "number", "where"), rows, len(rows))


def _place(configuration: dict[str, Any], name: str) -> str:
    images, labels = (code(configuration[f"{name}_{part}"], PATH) for part in ("images", "labels"))
    return images if configuration[f"{name}_labels"] == "-" else f"{images}, labels {labels}"


def _columns(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    yield "## Columns"
    encoder = model.encoder
    if isinstance(encoder, SharedScale):
        names = f": {codes(encoder.names, MOST_ROWS)}" if _has_names(model) else ""
        yield f"{model.columns:,} numbers{names}. All are divided by {encoder.scale:.9g}. A missing value is an error."
        return
    assert isinstance(encoder, TableEncoder)
    yield (
        f"The model does this to the columns of each row, which gives {encoder.width:,} inputs. It takes a table with "
        "columns of these names, in any order."
        if _has_names(model)
        else f"The model does this to the {model.columns:,} columns of each row, which gives {encoder.width:,} inputs."
    )
    rows = (
        (code(column.name), column.kind, _preprocessing(column), _missing_values(column))
        for column in encoder.columns
    )
    yield table(("column", "kind", "becomes", "a missing value"), rows, MOST_ROWS)


def _preprocessing(column: Number | Category) -> str:
    if isinstance(column, Number):
        shift, scale = column.offset + column.center, column.scale
        value = f"(value - {shift:.9g})".replace("- -", "+ ") if shift else "value"
        return f"{value} / {scale:.9g}" if scale != 1 else value
    other = "others share one more" if column.other else "others are an error"
    return f"an input for each of {codes(column.values, MOST_NAMES)}; {other}"


def _missing_values(column: Number | Category) -> str:
    if column.fill is None or column.fill is False:
        return "is an error"
    filled = "gives zeros" if isinstance(column, Category) else f"becomes {column.offset + column.fill:.9g}"
    return f"{filled}, and sets an input of its own" if column.indicator else filled


def _targets(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    decoder = model.decoder
    if isinstance(decoder, TargetScale):
        yield "## Target"
        keeps_all = _start(summary).get("kept_layers") == len(model.layers)
        rows = "rows of the model that training started from" if keeps_all else "training rows"
        yield f"Its mean in the {rows} is {decoder.mean:.9g}, its standard deviation {decoder.scale:.9g}."
        return
    yield "## Classes"
    yield table(*_table_of_classes(summary, decoder.names(model.classes)), MOST_ROWS)


def _table_of_classes(summary: dict[str, Any], labels: tuple[str, ...]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of the table of classes."""
    data, test = summary["data"], summary["test"]
    held_out = summary["train"]["validation_rows"]
    header = ["class", "training and validation rows" if held_out else "training rows"]
    columns = [[*map(code, labels)], [f"{count:,}" for count in data["train"]["class_rows"]]]
    if data["class_names"] and len(data["class_names"]) == len(labels):  # dataset.json may know other classes
        header.insert(1, "name")
        columns.insert(1, [*map(code, data["class_names"])])
    if test:
        header += ["test rows", "precision", "recall", "F1"]
        columns.append([f"{scores['support']:,}" for scores in test["classes"]])
        for name in ("precision", "recall", "f1"):
            columns.append([_number(scores[name]) for scores in test["classes"]])
    return header, [list(row) for row in zip(*columns, strict=False)]


# ---- how well it predicts ----

# Keys of the test scores in summary.json, and what they are.
SCORES = {
    "accuracy": "accuracy: the share of rows that are predicted correctly",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "rmse": "RMSE, in the unit of the target",
    "baseline": "RMSE of always predicting the mean of the training rows",
    "mae": "mean absolute error",
    "r2": "R2: the share of the variance that is explained",
    "cost": "cost: the mean loss per row",
}


def _scores(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    test, train = summary["test"], summary["train"]
    yield "## Scores"
    if test is None:
        yield "There were no test rows: nothing says how well the model predicts rows that it did not learn from."
    else:
        rows = [(name, _number(test[key])) for key, name in SCORES.items() if test.get(key) is not None]
        rows += [(f"macro {name}", _number(value)) for name, value in test.get("macro", {}).items()]
        yield f"On {test['rows']:,} test rows, of which none was learned from:"
        yield table(("score", "value"), rows, len(rows))
    if train["validation_rows"]:
        measured = f"cost {_number(train['val_cost'])}"
        if train["val_accuracy"] is not None:
            measured += f", accuracy {_number(train['val_accuracy'])}"
        yield f"On {train['validation_rows']:,} validation rows, held out of the training rows: {measured}."
        if train["best_epoch"]:
            yield "These rows chose the epoch whose weights are kept, so they look better than new rows would."


# ---- how it was made ----


def _network(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    yield "## Network"
    yield block(model.summary(), "text")
    yield f"Its loss is {code(spec.to_text(model.loss))}."


def _training(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    configuration, train = summary["configuration"], summary["train"]
    kept = f"; the weights of epoch {train['best_epoch']} are kept" if train["best_epoch"] else ""
    yield "## Training"
    yield f"{format.counted(train['epochs'], 'epoch')}{kept}. Seed {configuration['seed']}."
    if _start(summary).get("model"):
        yield _started(_start(summary), len(model.layers))
    chosen = _chosen(configuration)
    if chosen:
        yield "Options that were chosen, or followed from the data:"
        rows = [
            (code(name), code(json.dumps(configuration[name], ensure_ascii=False), PATH)) for name in chosen
        ]
        yield table(("option", "value"), rows, len(rows))
    yield "`config.json` holds all options. This trains the same network again, to the bit on the same kind of machine:"
    yield block("spark-submit main_task.py --config config.json ANOTHER_OUTPUT", "sh")


def _start(summary: dict[str, Any]) -> dict[str, Any]:
    """Return what summary.json says of the model that training started from; empty where there was none."""
    return summary.get("start", {})


def _started(start: dict[str, Any], layers: int) -> str:
    kept = start["kept_layers"]
    which = "all layers" if kept == layers else f"the first {format.counted(kept, 'layer')}"
    return (
        f"It started from the model {code(start['model'], PATH)} (fingerprint {code(start['fingerprint'][:16])}): its "
        f"encoder of the columns, and its weights of {which}."
    )


def _chosen(configuration: dict[str, Any]) -> list[str]:
    """Return the names of the options without which a run would have had other values."""
    own = {name: value for name, value in configuration.items() if name in options_of(Recipe)}
    return [
        name
        for name, value in configuration.items()
        if name not in PLACES and _default(name, {**own, name: None}) != value
    ]


def _default(name: str, recipe: dict[str, Any]) -> Any:
    """Return the default of an option as config.json has it; that of a recipe's depends on its other options."""
    field = {**options_of(RunOptions), **options_of(Recipe)}[name]
    value = field.default
    if name in options_of(Recipe):
        try:
            value = getattr(resolved(Recipe.of(**recipe)), name)
        except ValueError:  # the others need it
            return None
    return None if value in (None, ()) else field.metadata["reader"].plain(value)


def _versions(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    yield "## Versions"
    rows = [(code(name), code(version)) for name, version in summary["versions"].items()]
    yield table(("of", "version"), rows, len(rows))
    if "arithmetic" in summary["versions"]:
        yield "`arithmetic` is a hash of results of NumPy: where it is the same, training gives the same bits."


# ---- how to use it ----


def _use(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    rows = "a table with these columns" if _has_names(model) else f"rows (n, {model.columns})"
    gives = "values" if _is_regression(model) else "labels; predict_proba(rows) gives probabilities"
    argument = "struct(*)" if _has_names(model) else "array_of_a_row"
    yield "## Use"
    yield "In Python, with NumPy alone:"
    yield block(
        f'import nn\nmodel = nn.load("model.npz")\nmodel.predict(rows)  # {rows} -> {gives}', "python"
    )
    yield "Files of any size, on Spark:"
    yield block("spark-submit predict_task.py model.npz INPUT OUTPUT", "sh")
    yield 'In SQL, after `import nn.spark` and `nn.spark.register_udf(spark, "predict", "model.npz")`:'
    yield block(f"SELECT predict({argument}) FROM table_of_rows", "sql")
    yield 'In other languages: `nn.to_onnx(model, "model.onnx")`.'


def _limits(summary: dict[str, Any], model: Sequential) -> Iterator[str]:
    yield "## Limits"
    limits = [*_limits_of_columns(model)]
    if summary["test"] is not None:
        limits.append(
            "The scores are of the test rows above; they hold for rows that come about in the same way."
        )
    if not _is_regression(model):
        limits.append("The probabilities have not been calibrated.")
    yield "\n".join(f"- {limit}" for limit in limits)


def _limits_of_columns(model: Sequential) -> Iterator[str]:
    encoder = model.encoder
    columns = encoder.columns if isinstance(encoder, TableEncoder) else ()
    refusing = [column.name for column in columns if column.fill is None or column.fill is False]
    if not columns or len(refusing) == len(columns):
        yield "A row with a missing value cannot be predicted."
    elif refusing:
        yield f"A row with a missing value cannot be predicted where it is in {codes(refusing, MOST_NAMES)}."
    else:
        yield "Missing values are filled as above, however many a row has."
    categories = [column for column in columns if isinstance(column, Category)]
    if any(not column.other for column in categories):
        yield "A row with a category that was in no training row cannot be predicted."
    elif categories:
        yield "Categories that were in no training row are all taken for the same one."
    if len(categories) < len(columns) or not columns:
        yield "Numbers beyond those of the training rows are accepted, and nothing was measured there."


def _has_names(model: Sequential) -> bool:
    return have_names(model.encoder.names)


def _is_regression(model: Sequential) -> bool:
    return isinstance(model.decoder, TargetScale)


def _parameters(model: Sequential) -> int:
    return sum(math.prod(shape) for shapes, _ in model.shapes() for shape in shapes.values())


def _number(value: float | None) -> str:
    """Return a score with six digits; there is none where no step was accepted."""
    return "none" if value is None else f"{value:.6g}"

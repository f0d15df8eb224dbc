"""The values of one run as the page shows them, read from its OUTPUT; a section without its file has a reason."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nn.plotting.histories import PHASES, Curve, History
from nn.plotting.report import details, network
from nn.plotting.report.details import rounded
from nn.plotting.results import Json, parse_json
from nn.plotting.run_files import (
    COLUMNS,
    Run,
    declared_shape,
    is_regression,
    names_of,
    predicted_values_of,
    read_run,
)
from nn.plotting.textfiles import NotDrawableError, unreadable

MOST_EPOCHS = 4000  # that are drawn; of more, some are left out
LONGEST_VALUE = 300  # characters of a value of the configuration
SCORES = ("accuracy", "cost", "rows", "errors", "rmse", "mae", "r2", "baseline", "roc_auc", "log_loss")
TRAINING = ("epochs", "rows", "validation_rows", "best_epoch", "val_cost", "val_accuracy")
LARGEST_JSON = 1 << 24  # characters


def values_of(folder: Path) -> dict[str, Any]:
    """Return the values of a run as plain JSON values. Raises BadFileError for a file that is not as runs write it."""
    run = read_run(folder)
    summary = _json(folder / "summary.json")
    regression = is_regression(run)
    values: dict[str, Any] = {
        "path": str(folder),
        "name": _data_name(run),
        "status": _status(folder),
        "error": _error(folder),
        "task": "regression" if regression else "classification",
        "is_training": "summary.json" not in run or run["summary.json"].is_training,
        "missing": {},
        **_history(run),
        **_overview(summary),
        **_configuration(folder, summary),
    }
    for section, needed, read in SECTIONS:
        if section in (OF_CLASSES if regression else OF_VALUES):
            continue
        if section in OF_TRAINING and not values["is_training"]:
            continue
        try:
            if not (folder / needed).exists():
                raise NotDrawableError(f"no {needed} in {folder}{_when(values['status'])}")
            values[section] = read(folder, run, summary)
        except NotDrawableError as reason:
            values[section], values["missing"][section] = None, str(reason)
    values["classes"] = _classes(run, values)
    return values


def _when(status: str) -> str:
    return " (a run writes it at its end)" if status == "running" else ""


def _status(folder: Path) -> str:
    """Return finished, running or ended."""
    if (folder / "_SUCCESS").exists() or (folder / "summary.json").exists():
        return "finished"
    return "running" if (folder / "_RUNNING").exists() else "ended"


def _error(folder: Path) -> str | None:
    """Return the line of the error that ended the run; None where none did."""
    document = _json(folder / "_ERROR.json")
    return None if document is None else document["message"].text()


def _json(path: Path) -> Json | None:
    """Return the JSON in a file; None where there is no file."""
    try:
        if not path.exists():
            return None
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return parse_json(path, file.read(LARGEST_JSON))
    except OSError as error:
        raise unreadable(path, error) from None


def _data_name(run: Run) -> str:
    return run["summary.json"].name if "summary.json" in run else ""


# ---- training ----


def _history(run: Run) -> dict[str, Any]:
    """Return the curves over the epochs, and the seconds of each epoch by phase."""
    if "history.csv" in run:
        history: History = run["history.csv"]
        curves, phases = history.curves, history.phases
    else:
        names = {"cost": "cost_history", "accuracy": "accuracy_history"}
        curves, phases = {noun: run[name] for noun, name in names.items() if name in run}, None
    result: dict[str, Any] = {
        "curves": {noun: _curve(curve) for noun, curve in curves.items()},
        "phases": None,
    }
    if phases is not None:
        kept = _kept(len(phases.epochs))
        seconds = phases.seconds[kept].T.tolist()
        result["phases"] = {
            "epoch": phases.epochs[kept].tolist(),
            "names": list(PHASES),
            "seconds": [[rounded(value, 4) for value in column] for column in seconds],
            "totals": dict(zip(PHASES, phases.seconds.sum(axis=0).tolist(), strict=True)),
        }
    return result


def _curve(curve: Curve) -> dict[str, Any]:
    kept = _kept(len(curve.epochs))
    return {
        "epoch": curve.epochs[kept].tolist(),
        "value": [rounded(value) for value in curve.values[kept].tolist()],
        "accepted": curve.accepted[kept].astype(int).tolist(),
        "of": len(curve.epochs),
    }


def _kept(count: int) -> list[int]:
    """Return the indices of the epochs that are drawn: all, or every other, third, ... and the last."""
    step = math.ceil(count / MOST_EPOCHS)
    kept = [*range(0, count, step)]
    return kept if kept[-1] == count - 1 else [*kept, count - 1]


def _overview(summary: Json | None) -> dict[str, Any]:
    """Return the numbers of summary.json, of which any may be missing."""
    value = {} if summary is None else summary.value
    data, train, test = (_dict(value, key) for key in ("data", "train", "test"))
    seconds = {name: _number(entry) for name, entry in _dict(value, "seconds").items()}
    return {
        "test": {key: _number(test.get(key)) for key in SCORES},
        "train": {key: _number(train.get(key)) for key in TRAINING},
        "rows": {name: _number(_dict(data, name).get("rows")) for name in ("train", "test")},
        "width": _number(data.get("width")),
        "seconds": {name: entry for name, entry in seconds.items() if entry is not None},
        "versions": [[name, str(entry)[:LONGEST_VALUE]] for name, entry in _dict(value, "versions").items()],
    }


def _dict(value: Any, key: str) -> dict[str, Any]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, dict) else {}


def _number(value: Any) -> float | int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < 1e300 else None


def _configuration(folder: Path, summary: Json | None) -> dict[str, Any]:
    """Return the options of the run, and the command that trains the same network again."""
    path = folder / "config.json"
    document = _json(path)
    again = None
    if document is not None:
        if not isinstance(document.value, dict):
            raise document.invalid("an object")
        options = document.value
        again = f"spark-submit main_task.py --config {shlex.quote(str(path))} ANOTHER_OUTPUT"
    else:
        options = _dict({} if summary is None else summary.value, "configuration")
    shown = [[name, _option(value)] for name, value in options.items() if name != "output"]
    return {"configuration": shown, "planned": _number(options.get("epochs")), "again": again}


def _option(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


# ---- the test rows and the network ----


def _confusion(folder: Path, run: Run, summary: Json | None) -> Any:
    return details.confusion_of(run["confusion_matrix.csv"])


def _scores(folder: Path, run: Run, summary: Json | None) -> Any:
    if run["summary.json"].scores is None or summary is None:
        raise NotDrawableError("the run has no test set")
    entries = summary["test"]["classes"].items()
    support = [_number(entry["support"].value) if "support" in entry else None for entry in entries]
    return details.scores_of(run["summary.json"].scores, support)


def _reliability(folder: Path, run: Run, summary: Json | None) -> Any:
    if run["summary.json"].scores is None or summary is None:
        raise NotDrawableError("the run has no test set")
    bins = details.reliability_of(summary["test"])
    if bins is None:
        raise NotDrawableError("summary.json has no probabilities of all test rows (older runs wrote none)")
    return bins


def _examples(folder: Path, run: Run, summary: Json | None) -> Any:
    examples = run["examples.csv"]
    if isinstance(examples, NotDrawableError):
        labels = run["summary.json"].labels if "summary.json" in run else None
        return {"table": details.rows_of(folder / "examples.csv", labels), "images": None}
    try:
        return {"images": details.images_of(examples, run), "table": None}
    except NotDrawableError:
        labels = run["summary.json"].labels if "summary.json" in run else None
        return {"table": details.rows_of(folder / "examples.csv", labels), "images": None}


def _predicted(folder: Path, run: Run, summary: Json | None) -> Any:
    return details.values_of(predicted_values_of(run))


def _network(folder: Path, run: Run, summary: Json | None) -> Any:
    is_table = "summary.json" in run and run["summary.json"].is_table
    return network.network_of(folder / "model.npz", is_table)


def _weights(folder: Path, run: Run, summary: Json | None) -> Any:
    layer = run["model.npz"]
    if isinstance(layer, NotDrawableError):
        raise layer
    if "summary.json" in run and run["summary.json"].is_table:
        raise NotDrawableError(COLUMNS)
    return network.pictures_of(layer, declared_shape(run))


# Section, the file that it needs, and the function that reads it.
SECTIONS: tuple[tuple[str, str, Callable[[Path, Run, Json | None], Any]], ...] = (
    ("confusion", "confusion_matrix.csv", _confusion),
    ("scores", "summary.json", _scores),
    ("reliability", "summary.json", _reliability),
    ("examples", "examples.csv", _examples),
    ("predicted", "predicted.csv", _predicted),
    ("network", "model.npz", _network),
    ("weights", "model.npz", _weights),
)
OF_CLASSES = ("confusion", "scores", "reliability")
OF_VALUES = ("predicted",)
OF_TRAINING = ("network", "weights")  # predict_task.py writes none


def _classes(run: Run, values: dict[str, Any]) -> list[str]:
    """Return the names of the classes: those of the data set, or else class numbers."""
    names = names_of(run)
    if names is not None:
        return list(names)
    counts = run.get("confusion_matrix.csv")
    return [str(number) for number in range(0 if counts is None else len(counts))]

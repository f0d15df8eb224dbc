"""Read the files in OUTPUT that pictures and the report are made of; check that they are of one run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nn.plotting.firstlayer import read_first_layer
from nn.plotting.histories import read_history, read_series
from nn.plotting.results import (
    Examples,
    Predicted,
    read_confusion,
    read_examples,
    read_metrics,
    read_predicted,
    read_summary,
)
from nn.plotting.textfiles import NotDrawableError, bad_file

Run = dict[str, Any]  # file name -> the value of its reader, or the NotDrawableError that it raised

# The files of the original project in place of history.csv and summary.json.
PART_FILES: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "cost_history": ("history.csv", read_series),
    "accuracy_history": ("history.csv", read_series),
    "metrics": ("summary.json", read_metrics),
}
READERS: dict[str, Callable[..., Any]] = {
    "history.csv": read_history,
    "summary.json": read_summary,
    "confusion_matrix.csv": read_confusion,
    "examples.csv": read_examples,
    "predicted.csv": read_predicted,
    "model.npz": read_first_layer,
}
COLUMNS = "the inputs are columns of a table, not images"
LABELED = ("confusion_matrix.csv", "examples.csv")  # which name classes as summary.json does


def read_run(folder: Path) -> Run:
    """Read and check every file of a run that is there. Raises BadFileError."""
    if not folder.is_dir():
        found = "a file" if folder.exists() else "nothing there"
        raise bad_file(folder, "the OUTPUT folder of a run", found)
    run: Run = {}
    for name, read in READERS.items():
        path = folder / name
        if path.exists():
            labels = (run["summary.json"].labels,) if name in LABELED and "summary.json" in run else ()
            try:
                if name == "examples.csv" and "summary.json" in run and run["summary.json"].is_table:
                    raise NotDrawableError(COLUMNS)
                run[name] = read(path, *labels)
            except NotDrawableError as reason:
                run[name] = reason
    for name, (newer, read) in PART_FILES.items():
        if newer not in run and (folder / name).exists():
            run[name] = read(folder / name)
    if not run:
        raise bad_file(folder, f"{', '.join(READERS)} or {', '.join(PART_FILES)} of a run", "none of them")
    _check_classes(folder, run)
    return run


def _check_classes(folder: Path, run: Run) -> None:
    """Check that the files have the same classes. Raises BadFileError for a folder with files of several runs."""
    if "summary.json" not in run or run["summary.json"].scores is None:
        return
    k = len(run["summary.json"].scores.f1)
    if "confusion_matrix.csv" in run and len(run["confusion_matrix.csv"]) != k:
        found = str(len(run["confusion_matrix.csv"]))
        raise bad_file(folder / "confusion_matrix.csv", f"{k} classes as in summary.json", found)
    if isinstance(run.get("examples.csv"), Examples) and run["examples.csv"].classes > k:
        found = f"class {run['examples.csv'].classes - 1}"
        raise bad_file(folder / "examples.csv", f"classes below {k} as in summary.json", found)


def names_of(run: Run) -> tuple[str, ...] | None:
    """Return the names of the classes to be shown; None where they have none."""
    return run["summary.json"].class_names if "summary.json" in run else None


def predicted_values_of(run: Run) -> Predicted:
    """Return the values of test rows of a regression. Raises NotDrawableError where none is finite."""
    if not len(run["predicted.csv"].actual):
        raise NotDrawableError("predicted.csv has no finite values")
    return run["predicted.csv"]


def is_regression(run: Run) -> bool:
    """Return whether a run learned values of a target, not classes."""
    summary, history = run.get("summary.json"), run.get("history.csv")
    return (summary is not None and summary.errors is not None) or (
        history is not None and history.accuracy is None
    )


def declared_shape(run: Run) -> tuple[int, ...] | None:
    """Return the shape of an input from the summary, which has it for any network, or from the model file."""
    for name in ("summary.json", "model.npz"):
        shape = getattr(run.get(name), "input_shape", None)
        if shape:
            return shape
    return None

"""Read and check the results of a finished run: summary.json, confusion_matrix.csv, examples.csv."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.plotting.textfiles import (
    NotDrawableError,
    bad_file,
    column_indices,
    number,
    numbered_lines,
    parts_of,
    quoted,
    read_table,
    unreadable,
    whole_number,
)


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1, each (k,), and their means over the classes as the run computed them."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    macro: dict[str, float]


@dataclass(frozen=True)
class Errors:
    """The test scores of a regression, in the unit of its target."""

    rmse: float | None  # None: not finite
    r2: float | None


@dataclass(frozen=True)
class Summary:
    """The values of summary.json that pictures show."""

    name: str
    class_names: tuple[str, ...] | None = None  # to be shown
    accuracy: float | None = None
    scores: Scores | None = None  # of classes, where there is a test set
    labels: tuple[str, ...] | None = None  # the names of classes in the run's files; None: class numbers
    errors: Errors | None = None  # of a regression
    best_epoch: int | None = None  # whose weights were kept; None: those of the last epoch
    input_shape: tuple[int, ...] | None = None
    is_table: bool = False  # whether inputs are columns with names, not images
    is_training: bool = True  # or predictions with their scores


@dataclass(frozen=True)
class Examples:
    """Test rows with their raw inputs (n, d), wrong predictions first."""

    labels: NDArray[np.int64]
    predictions: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    inputs: NDArray[np.float64]
    rows: tuple[int, ...] = ()  # their numbers in the test set, where the file has them

    @property
    def classes(self) -> int:
        """Return one more than the largest class number, the least number of classes."""
        return 1 + int(max(self.labels.max(), self.predictions.max()))


@dataclass(frozen=True)
class Predicted:
    """Actual and predicted values of test rows of a regression, (n,) each."""

    actual: NDArray[np.float64]
    predicted: NDArray[np.float64]


LARGEST_VALUE = 1e30  # of an input or a value: beyond it float32 squares overflow


class Json:
    """A value in a JSON document with its address there, which errors name."""

    def __init__(self, path: Path, value: Any, address: str = "") -> None:
        self.path, self.value, self.address = path, value, address

    def invalid(self, expected: str) -> Exception:
        """Return the error for this value."""
        if self.address:
            expected = f"{expected} at {self.address}"
        return bad_file(self.path, expected, quoted(json.dumps(self.value)))

    def __getitem__(self, key: str) -> Json:
        if not isinstance(self.value, dict):
            raise self.invalid("an object")
        if key not in self.value:
            raise self.invalid(f"a {key!r}")
        return Json(self.path, self.value[key], f"{self.address}[{key!r}]")

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> list[Json]:
        """Return the members of a list. Raises BadFileError if it is empty."""
        if not isinstance(self.value, list) or not self.value:
            raise self.invalid("a list")
        return [Json(self.path, value, f"{self.address}[{i}]") for i, value in enumerate(self.value)]

    def text(self) -> str:
        """Return a string."""
        if not isinstance(self.value, str):
            raise self.invalid("a text")
        return self.value

    def share(self) -> float:
        """Return a fraction from 0 to 1."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.invalid("a number from 0 to 1")
        return float(value)

    def number(self) -> float:
        """Return a finite number."""
        if (
            isinstance(self.value, bool)
            or not isinstance(self.value, int | float)
            or not abs(self.value) < 1e300
        ):
            raise self.invalid("a finite number")
        return float(self.value)

    def count(self) -> int:
        """Return a whole number from 1 on."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 1:
            raise self.invalid("a whole number from 1")
        return self.value


def parse_json(path: Path, text: str) -> Json:
    """Return a JSON document. Raises BadFileError that names the file."""
    try:
        return Json(path, json.loads(text))
    except RecursionError:
        raise bad_file(path, "JSON", "brackets nested too deep") from None
    except json.JSONDecodeError as error:
        raise bad_file(path, "JSON", f"{error.msg} (column {error.colno})", error.lineno) from None
    except ValueError as error:  # a whole number of thousands of digits
        raise bad_file(path, "JSON", str(error).split(";")[0]) from None


def read_summary(path: Path) -> Summary:
    """Read summary.json; keys that no picture shows are ignored. Raises BadFileError."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise unreadable(path, error) from None
    document = parse_json(path, text)
    data, test = document["data"], document["test"]
    is_table = _has_named_columns(document)
    best, shape = _best_epoch(document), _input_shape(document)
    is_training = "not_predicted" not in data  # which predict_task.py writes
    summary = Summary(
        data["name"].text(), best_epoch=best, input_shape=shape, is_table=is_table, is_training=is_training
    )
    if test.value is None:  # the run has no test set
        return summary
    if "rmse" in test:
        rmse, r2 = (None if test[key].value is None else test[key].number() for key in ("rmse", "r2"))
        return dataclasses.replace(summary, errors=Errors(rmse, r2))
    scores, labels = _scores(test), _labels(test["classes"])
    names = _class_names(data["class_names"], len(scores.f1)) or labels
    accuracy = test["accuracy"].share()
    return dataclasses.replace(summary, class_names=names, accuracy=accuracy, scores=scores, labels=labels)


def _best_epoch(document: Json) -> int | None:
    """Return the best epoch; None if a run keeps its last weights, or is too old to have others."""
    if "train" not in document or "best_epoch" not in document["train"]:
        return None
    value = document["train"]["best_epoch"].value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _input_shape(document: Json) -> tuple[int, ...] | None:
    """Return (d,) or (h, w, c); None without a description of the model."""
    if "model" not in document:
        return None
    return tuple(size.count() for size in document["model"]["input_shape"].items())


def _has_named_columns(document: Json) -> bool:
    """Return whether inputs are columns of a table: of other names than their numbers, or categories."""
    if "model" not in document or "encoder" not in document["model"]:
        return False
    columns = document["model"]["encoder"]["columns"].items()
    names = [(column["kind"].value, column["name"].value) for column in columns]
    return names != [("number", str(number)) for number in range(len(names))]


def _class_names(names: Json, classes: int) -> tuple[str, ...] | None:
    if names.value is None:
        return None
    texts = tuple(name.text() for name in names.items())
    if len(texts) < classes:  # more are valid: a small training set may lack the last classes
        raise bad_file(
            names.path, f"{classes} names at {names.address}, one for each tested class", f"{len(texts)}"
        )
    return texts[:classes]


def _labels(classes: Json) -> tuple[str, ...] | None:
    """Return the names of the classes; None where they are numbers."""
    names = [entry["class"].value for entry in classes.items()]
    return tuple(names) if all(isinstance(name, str) for name in names) else None


def _scores(test: Json) -> Scores:
    kinds = ("precision", "recall", "f1")
    rows = []
    for i, entry in enumerate(test["classes"].items()):
        if entry["class"].value != i and not isinstance(entry["class"].value, str):
            raise entry["class"].invalid(f"the class number {i}")
        rows.append([entry[kind].share() for kind in kinds])
    precision, recall, f1 = np.array(rows).T
    return Scores(precision, recall, f1, {kind: test["macro"][kind].share() for kind in kinds})


NUMPY_FLOAT = re.compile(r"np\.float\d+\(([^()]*)\)")  # how NumPy 2 writes a float in a tuple


def read_metrics(path: Path) -> Scores:
    """Read the original project's metrics: one line (precision, recall, f1) per class, in a folder of part files."""
    expected = "(precision, recall, f1), numbers from 0 to 1"
    rows = []
    for part in parts_of(path):
        for line, text in numbered_lines(part):
            row_text = NUMPY_FLOAT.sub(r"\1", text)
            fields = row_text[1:-1].split(",") if row_text[:1] + row_text[-1:] == "()" else []
            row = [number(part, line, field, expected) for field in fields]
            if len(row) != 3 or not all(0 <= share <= 1 for share in row):  # also refuses nan
                raise bad_file(part, expected, quoted(text), line)
            rows.append(row)
    if not rows:
        raise bad_file(path, f"lines of {expected}", "no line at all")
    columns = dict(zip(("precision", "recall", "f1"), np.array(rows).T, strict=True))
    return Scores(**columns, macro={kind: float(column.mean()) for kind, column in columns.items()})


def read_confusion(path: Path, labels: Sequence[str] | None = None) -> NDArray[np.int64]:
    """Read confusion_matrix.csv as counts (k, k); rows are the true classes, columns the predictions.

    `labels` (k,) are the names of the classes; None: class numbers.
    """
    header, lines = read_table(path)
    k = len(header) - 1
    expected = [str(c) for c in range(k)] if labels is None else [label.strip() for label in labels]
    if k < 1 or header[1:] != expected:
        first = ",".join((expected or ["0", "1"])[:2])
        raise bad_file(path, rf"a header truth\prediction,{first},...", quoted(",".join(header)), 1)
    counts = np.zeros((k, k), dtype=np.int64)
    line = 1
    for line, fields in lines:
        truth = line - 2
        if truth >= k:
            raise bad_file(path, f"{k} lines after the header, one per class", "another line", line)
        if fields[0].strip() != expected[truth]:
            raise bad_file(path, f"class {expected[truth]} first", quoted(fields[0]), line)
        counts[truth] = [whole_number(path, line, field, "a count") for field in fields[1:]]
    if line - 1 != k:
        raise bad_file(path, f"{k} lines after the header, one per class", f"{line - 1}", line)
    return counts


def read_examples(path: Path, names: Sequence[str] | None = None) -> Examples:
    """Read examples.csv: row, label, prediction, probability, then the raw inputs x0, x1, ... of each example.

    `names` (k,) are those of the classes; None: class numbers. Raises NotDrawableError for a regression.
    """
    header, lines = read_table(path)
    if "actual" in header:
        raise NotDrawableError("the examples are of a regression")
    codes = None if names is None else {name.strip(): code for code, name in enumerate(names)}
    indices = column_indices(path, header, ("label", "prediction", "probability", "x0"))
    first = indices[3]
    if header[first:] != [f"x{i}" for i in range(len(header) - first)]:
        raise bad_file(path, "the columns x0, x1, ... at the header's end", quoted(",".join(header)), 1)
    labels, predictions, probabilities, inputs, rows = [], [], [], [], []
    for line, fields in lines:
        if header[0] == "row":
            rows.append(whole_number(path, line, fields[0], "a row number"))
        labels.append(_class(path, line, fields[indices[0]], codes))
        predictions.append(_class(path, line, fields[indices[1]], codes))
        probabilities.append(number(path, line, fields[indices[2]], "a probability"))
        inputs.append([_finite(path, line, field) for field in fields[first:]])
    columns = np.array(labels), np.array(predictions), np.array(probabilities), np.array(inputs)
    return Examples(*columns, rows=tuple(rows))


def _class(path: Path, line: int, text: str, codes: dict[str, int] | None) -> int:
    if codes is None:
        return whole_number(path, line, text, "a class number")
    if text.strip() not in codes:
        raise bad_file(path, "the name of a class in summary.json", quoted(text), line)
    return codes[text.strip()]


def read_predicted(path: Path) -> Predicted:
    """Read predicted.csv: row, actual, predicted. Rows with values beyond LARGEST_VALUE are left out."""
    header, lines = read_table(path)
    indices = column_indices(path, header, ("actual", "predicted"))
    pairs = np.array([[number(path, line, fields[index]) for index in indices] for line, fields in lines])
    return Predicted(*pairs[(np.abs(pairs) <= LARGEST_VALUE).all(axis=1)].T)


def _finite(path: Path, line: int, text: str, what: str = "an input value") -> float:
    value = number(path, line, text)
    if not abs(value) <= LARGEST_VALUE:  # also refuses nan
        raise bad_file(path, what, quoted(text), line)
    return value

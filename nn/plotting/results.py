"""What a finished run says of itself: summary.json, confusion_matrix.csv, examples.csv, read and checked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.plotting.textfiles import (
    column_places,
    complaint,
    number,
    numbered_lines,
    parts_of,
    read_table,
    shown,
    unreadable,
    whole,
)


@dataclass(frozen=True)
class Scores:
    """Precision, recall and F1, each (k,), and their means over the classes as the run computed them."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    macro: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """The part of summary.json that pictures show."""

    name: str
    class_names: tuple[str, ...] | None
    accuracy: float
    scores: Scores
    best_epoch: int | None = None  # whose weights were kept, where a run says so
    input_shape: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Examples:
    """Test rows with their raw inputs (n, d); those that were predicted wrongly come first."""

    labels: NDArray[np.int64]
    predictions: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    inputs: NDArray[np.float64]

    @property
    def classes(self) -> int:
        """How many classes there are at least: one more than the largest number seen."""
        return 1 + int(max(self.labels.max(), self.predictions.max()))


class Json:
    """A value inside a JSON document that knows its own address, for the message when it is wrong."""

    def __init__(self, path: Path, value: Any, address: str = "") -> None:
        self.path, self.value, self.address = path, value, address

    def complain(self, expected: str) -> Exception:
        """The complaint about this value."""
        place = f"{expected} at {self.address}" if self.address else expected
        return complaint(self.path, place, shown(json.dumps(self.value)))

    def __getitem__(self, key: str) -> Json:
        if not isinstance(self.value, dict):
            raise self.complain("an object")
        if key not in self.value:
            raise self.complain(f"a {key!r}")
        return Json(self.path, self.value[key], f"{self.address}[{key!r}]")

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> list[Json]:
        """The members of a list, which may not be empty."""
        if not isinstance(self.value, list) or not self.value:
            raise self.complain("a list")
        return [Json(self.path, value, f"{self.address}[{i}]") for i, value in enumerate(self.value)]

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise self.complain("a text")
        return self.value

    def share(self) -> float:
        """A fraction from 0 to 1."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self.complain("a number from 0 to 1")
        return float(value)

    def count(self) -> int:
        """A whole number from 1."""
        if isinstance(self.value, bool) or not isinstance(self.value, int) or self.value < 1:
            raise self.complain("a whole number from 1")
        return self.value


def parse_json(path: Path, text: str) -> Json:
    """A JSON document whose values name the file when they are not what was expected."""
    try:
        return Json(path, json.loads(text))
    except RecursionError:
        raise complaint(path, "JSON", "brackets nested too deep") from None
    except json.JSONDecodeError as error:
        raise complaint(path, "JSON", f"{error.msg} (column {error.colno})", error.lineno) from None
    except ValueError as error:  # a whole number of thousands of digits
        raise complaint(path, "JSON", str(error).split(";")[0]) from None


def read_summary(path: Path) -> Summary:
    """summary.json; keys that no picture shows are passed over."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise unreadable(path, error) from None
    document = parse_json(path, text)
    data, test = document["data"], document["test"]
    scores = _scores(test)
    names = _class_names(data["class_names"], len(scores.f1))
    best, shape = _best_epoch(document), _input_shape(document)
    return Summary(data["name"].text(), names, test["accuracy"].share(), scores, best, shape)


def _best_epoch(document: Json) -> int | None:
    """None in a run that keeps its last weights, and in one from before runs could keep others."""
    if "train" not in document or "best_epoch" not in document["train"]:
        return None
    value = document["train"]["best_epoch"].value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _input_shape(document: Json) -> tuple[int, ...] | None:
    """(d,) or (h, w, c); None where no model is described."""
    if "model" not in document:
        return None
    return tuple(size.count() for size in document["model"]["input_shape"].items())


def _class_names(names: Json, classes: int) -> tuple[str, ...] | None:
    if names.value is None:
        return None
    texts = tuple(name.text() for name in names.items())
    if len(texts) < classes:  # more of them are no mistake: a small training set may lack the last classes
        raise complaint(
            names.path, f"{classes} names at {names.address}, one for each tested class", f"{len(texts)}"
        )
    return texts[:classes]


def _scores(test: Json) -> Scores:
    kinds = ("precision", "recall", "f1")
    rows = []
    for i, entry in enumerate(test["classes"].items()):
        if entry["class"].value != i:
            raise entry["class"].complain(f"the class number {i}")
        rows.append([entry[kind].share() for kind in kinds])
    precision, recall, f1 = np.array(rows).T
    return Scores(precision, recall, f1, {kind: test["macro"][kind].share() for kind in kinds})


NUMPY_FLOAT = re.compile(r"np\.float\d+\(([^()]*)\)")  # how NumPy 2 writes a float in a tuple


def read_metrics(path: Path) -> Scores:
    """The original project's metrics: a line (precision, recall, f1) a class, in a folder of part files."""
    expected = "(precision, recall, f1), numbers from 0 to 1"
    rows = []
    for part in parts_of(path):
        for line, text in numbered_lines(part):
            found = NUMPY_FLOAT.sub(r"\1", text)
            fields = found[1:-1].split(",") if found[:1] + found[-1:] == "()" else []
            row = [number(part, line, field, expected) for field in fields]
            if len(row) != 3 or not all(0 <= share <= 1 for share in row):  # nan is not, either
                raise complaint(part, expected, shown(text), line)
            rows.append(row)
    if not rows:
        raise complaint(path, f"lines of {expected}", "no line at all")
    columns = dict(zip(("precision", "recall", "f1"), np.array(rows).T, strict=True))
    return Scores(**columns, macro={kind: float(column.mean()) for kind, column in columns.items()})


def read_confusion(path: Path) -> NDArray[np.int64]:
    """confusion_matrix.csv as counts (k, k); rows are the truth, columns the prediction."""
    header, lines = read_table(path)
    k = len(header) - 1
    if k < 1 or header[1:] != [str(c) for c in range(k)]:
        raise complaint(path, r"a header truth\prediction,0,1,...", shown(",".join(header)), 1)
    counts = np.zeros((k, k), dtype=np.int64)
    line = 1
    for line, fields in lines:
        truth = line - 2
        if truth >= k:
            raise complaint(path, f"{k} lines after the header, one a class", "another line", line)
        if fields[0].strip() != str(truth):
            raise complaint(path, f"class {truth} first", shown(fields[0]), line)
        counts[truth] = [whole(path, line, field, "a count") for field in fields[1:]]
    if line - 1 != k:
        raise complaint(path, f"{k} lines after the header, one a class", f"{line - 1}", line)
    return counts


def read_examples(path: Path) -> Examples:
    """examples.csv: row, label, prediction, probability, then the raw input x0, x1, ... of each example."""
    header, lines = read_table(path)
    places = column_places(path, header, ("label", "prediction", "probability", "x0"))
    first = places[3]
    if header[first:] != [f"x{i}" for i in range(len(header) - first)]:
        raise complaint(path, "the columns x0, x1, ... at the header's end", shown(",".join(header)), 1)
    labels, predictions, probabilities, inputs = [], [], [], []
    for line, fields in lines:
        labels.append(whole(path, line, fields[places[0]], "a class number"))
        predictions.append(whole(path, line, fields[places[1]], "a class number"))
        probabilities.append(number(path, line, fields[places[2]], "a probability"))
        inputs.append([_finite(path, line, field) for field in fields[first:]])
    return Examples(np.array(labels), np.array(predictions), np.array(probabilities), np.array(inputs))


def _finite(path: Path, line: int, text: str) -> float:
    value = number(path, line, text)
    if not abs(value) <= 1e30:  # also refuses nan
        raise complaint(path, "an input value", shown(text), line)
    return value

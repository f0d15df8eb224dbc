"""Read the histories of a run: one value per epoch, from a column of numbers or from history.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.plotting.textfiles import (
    bad_file,
    column_indices,
    number,
    numbered_lines,
    parts_of,
    quoted,
    read_table,
    whole_number,
)

# Beyond this an axis cannot be computed in float64 without overflow.
LARGEST_DRAWN = 1e100

# Columns of history.csv, and how an error calls a value of each.
MEASURED = {"cost": "a cost", "accuracy": "an accuracy", "learning_rate": "a learning rate"}
VALIDATED = {"val_cost": "a validation cost", "val_accuracy": "a validation accuracy"}
SHARES = ("accuracy", "val_accuracy")
PHASES = ("schedule", "read", "compute", "sum", "update")  # seconds of an epoch, all five or none
LONGEST = 1e9  # seconds, thirty years; an epoch takes less


@dataclass(frozen=True)
class Curve:
    """One quantity over the epochs; where `accepted` is False the step was rejected after it was measured."""

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]
    accepted: NDArray[np.bool_]

    @property
    def drawable(self) -> NDArray[np.bool_]:
        """Return which values a picture can show."""
        with np.errstate(invalid="ignore"):
            return np.abs(self.values) <= LARGEST_DRAWN

    def last_accepted(self) -> NDArray[np.float64]:
        """Return the value of the last accepted step at each epoch; nan before the first one."""
        last = np.maximum.accumulate(np.where(self.accepted, np.arange(len(self.values)), -1))
        values = np.where(self.drawable, self.values, np.nan)
        return np.where(last >= 0, values[last], np.nan)


@dataclass(frozen=True)
class Phases:
    """The seconds of each epoch by phase."""

    epochs: NDArray[np.int64]  # (n,)
    seconds: NDArray[np.float64]  # (n, phases), columns in the order of PHASES


@dataclass(frozen=True)
class History:
    """The content of history.csv: curves over the same epochs, and phases; None for what a run did not measure."""

    cost: Curve
    accuracy: Curve | None  # None in a regression
    learning_rate: Curve
    val_cost: Curve | None = None
    val_accuracy: Curve | None = None
    phases: Phases | None = None

    @property
    def curves(self) -> dict[str, Curve]:
        """Return the curves by the names that users read."""
        named = {
            "cost": self.cost,
            "accuracy": self.accuracy,
            "learning rate": self.learning_rate,
            "validation cost": self.val_cost,
            "validation accuracy": self.val_accuracy,
        }
        return {what: curve for what, curve in named.items() if curve}


def read_series(path: Path) -> Curve:
    """Read one number per line, one line per epoch; of a folder, its part files in sorted order."""
    values = [
        number(part, line, text, "one number")
        for part in parts_of(path)
        for line, text in numbered_lines(part)
    ]
    if not values:
        raise bad_file(path, "one number a line", "no line at all")
    epochs = np.arange(1, len(values) + 1)
    return Curve(epochs, np.array(values), np.ones(len(values), dtype=bool))


def read_history(path: Path) -> History:
    """Read history.csv by the names of its columns; unknown columns are ignored.

    The columns val_cost and val_accuracy may be missing, or empty if no validation rows were measured; so may those of
    the phases, all five together. The accuracy of a regression is empty in all lines. Raises BadFileError.
    """
    header, lines = read_table(path)
    column_indices(path, header, ("epoch", *MEASURED, "accepted"))
    columns: dict[str, list[float | None]] = {name: [] for name in (*MEASURED, *VALIDATED) if name in header}
    indices = {name: header.index(name) for name in ("epoch", *columns, "accepted")}
    timed = [header.index(name) for name in PHASES] if set(PHASES) <= set(header) else []
    epochs: list[int] = []
    accepted: list[bool] = []
    seconds: list[list[float] | None] = []
    for line, fields in lines:
        texts = {name: fields[index].strip() for name, index in indices.items()}
        epochs.append(_next_epoch(path, line, texts["epoch"], epochs[-1] if epochs else 0))
        accepted.append(_flag(path, line, texts["accepted"]))
        for name, column in columns.items():
            empty = name in (*VALIDATED, "accuracy") and not texts[name]
            if name == "accuracy" and column and empty != (column[-1] is None):
                raise bad_file(path, "an accuracy in all lines or in none", quoted(texts[name]), line)
            column.append(None if empty else _measure(path, line, name, texts[name]))
        seconds.append(_seconds(path, line, [fields[index].strip() for index in timed]))
    curves = {name: _curve(epochs, accepted, column) for name, column in columns.items()}
    return History(**curves, phases=_phases(epochs, seconds))


def _measure(path: Path, line: int, name: str, text: str) -> float:
    what = (MEASURED | VALIDATED)[name]
    value = number(path, line, text, what)
    if name in SHARES and (value < 0 or value > 1):
        raise bad_file(path, f"{what} from 0 to 1", quoted(text), line)
    return value


def _curve(epochs: list[int], accepted: list[bool], column: list[float | None]) -> Any:
    """Return the curve over the epochs that have a value; None if there are none."""
    has = [value is not None for value in column]
    if not any(has):
        return None
    values = np.array([value for value in column if value is not None])
    return Curve(np.array(epochs)[has], values, np.array(accepted)[has])


def _seconds(path: Path, line: int, texts: list[str]) -> list[float] | None:
    """Return the seconds of each phase; None if the line has none."""
    if not any(texts):
        return None
    seconds = []
    for name, text in zip(PHASES, texts, strict=True):
        what = f"seconds of {name} from 0 to {LONGEST:g}"
        value = number(path, line, text, what)
        if not 0 <= value <= LONGEST:  # also refuses nan
            raise bad_file(path, what, quoted(text), line)
        seconds.append(value)
    return seconds


def _phases(epochs: list[int], seconds: list[list[float] | None]) -> Phases | None:
    """Return the phases of the epochs that have their seconds; None if there are none."""
    has = [line is not None for line in seconds]
    if not any(has):
        return None
    return Phases(np.array(epochs)[has], np.array([line for line in seconds if line is not None]))


def _next_epoch(path: Path, line: int, text: str, previous: int) -> int:
    epoch = whole_number(path, line, text, "an epoch number")
    if epoch <= previous:
        raise bad_file(path, f"an epoch after {previous}", f"{epoch}", line)
    return epoch


def _flag(path: Path, line: int, text: str) -> bool:
    if text not in ("0", "1"):
        raise bad_file(path, "accepted to be 1 or 0", quoted(text), line)
    return text == "1"

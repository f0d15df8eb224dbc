"""A run's histories: one value an epoch, from a bare column of numbers or from history.csv."""

from __future__ import annotations

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
    whole,
)

# Beyond this no axis can be computed in float64 without overflow, and no cost means anything.
LARGEST_DRAWN = 1e100

# Columns of history.csv: what a value of each is called.
MEASURED = {"cost": "a cost", "accuracy": "an accuracy", "learning_rate": "a learning rate"}
VALIDATED = {"val_cost": "a validation cost", "val_accuracy": "a validation accuracy"}
SHARES = ("accuracy", "val_accuracy")
PHASES = ("schedule", "read", "compute", "sum", "update")  # seconds of an epoch, all five or none
LONGEST = 1e9  # seconds, thirty years: more is no time that an epoch took


@dataclass(frozen=True)
class Curve:
    """One quantity over the epochs; where `stood` is False the step was undone after it was measured."""

    epochs: NDArray[np.int64]
    values: NDArray[np.float64]
    stood: NDArray[np.bool_]

    @property
    def drawable(self) -> NDArray[np.bool_]:
        """Which values a picture can show."""
        with np.errstate(invalid="ignore"):
            return np.abs(self.values) <= LARGEST_DRAWN

    def standing(self) -> NDArray[np.float64]:
        """The value of the point that stood at each epoch; nan before the first one."""
        last = np.maximum.accumulate(np.where(self.stood, np.arange(len(self.values)), -1))
        values = np.where(self.drawable, self.values, np.nan)
        return np.where(last >= 0, values[last], np.nan)


@dataclass(frozen=True)
class Phases:
    """The seconds of each epoch, by what they went into."""

    epochs: NDArray[np.int64]  # (n,)
    seconds: NDArray[np.float64]  # (n, phases), columns in the order of PHASES


@dataclass(frozen=True)
class History:
    """history.csv: three curves over the same epochs; validation rows and phases where a run has them."""

    cost: Curve
    accuracy: Curve
    learning_rate: Curve
    val_cost: Curve | None = None
    val_accuracy: Curve | None = None
    phases: Phases | None = None

    @property
    def curves(self) -> dict[str, Curve]:
        """What was measured, in words."""
        named = {
            "cost": self.cost,
            "accuracy": self.accuracy,
            "learning rate": self.learning_rate,
            "validation cost": self.val_cost,
            "validation accuracy": self.val_accuracy,
        }
        return {what: curve for what, curve in named.items() if curve}


def read_series(path: Path) -> Curve:
    """One number a line, one line an epoch; a folder stands for its part files in sorted order."""
    values = [
        number(part, line, text, "one number")
        for part in parts_of(path)
        for line, text in numbered_lines(part)
    ]
    if not values:
        raise complaint(path, "one number a line", "no line at all")
    epochs = np.arange(1, len(values) + 1)
    return Curve(epochs, np.array(values), np.ones(len(values), dtype=bool))


def read_history(path: Path) -> History:
    """history.csv, its columns found by name; columns this program does not know are passed over.

    The columns val_cost and val_accuracy may be missing, or empty where no validation rows were measured; so may
    those of the phases, all five together.
    """
    header, lines = read_table(path)
    column_places(path, header, ("epoch", *MEASURED, "accepted"))
    columns: dict[str, list[float | None]] = {name: [] for name in (*MEASURED, *VALIDATED) if name in header}
    places = {name: header.index(name) for name in ("epoch", *columns, "accepted")}
    timed = [header.index(name) for name in PHASES] if set(PHASES) <= set(header) else []
    epochs: list[int] = []
    stood: list[bool] = []
    spent: list[list[float] | None] = []
    for line, fields in lines:
        texts = {name: fields[place].strip() for name, place in places.items()}
        epochs.append(_next_epoch(path, line, texts["epoch"], epochs[-1] if epochs else 0))
        stood.append(_flag(path, line, texts["accepted"]))
        for name, column in columns.items():
            empty = name in VALIDATED and not texts[name]
            column.append(None if empty else _measure(path, line, name, texts[name]))
        spent.append(_spent(path, line, [fields[place].strip() for place in timed]))
    curves = {name: _curve(epochs, stood, column) for name, column in columns.items()}
    return History(**curves, phases=_phases(epochs, spent))


def _measure(path: Path, line: int, name: str, text: str) -> float:
    what = (MEASURED | VALIDATED)[name]
    value = number(path, line, text, what)
    if name in SHARES and (value < 0 or value > 1):
        raise complaint(path, f"{what} from 0 to 1", shown(text), line)
    return value


def _curve(epochs: list[int], stood: list[bool], column: list[float | None]) -> Any:
    """The curve over the epochs that have a value; None when none has."""
    has = [value is not None for value in column]
    if not any(has):
        return None
    values = np.array([value for value in column if value is not None])
    return Curve(np.array(epochs)[has], values, np.array(stood)[has])


def _spent(path: Path, line: int, texts: list[str]) -> list[float] | None:
    """Seconds of each phase; None where the line has none."""
    if not any(texts):
        return None
    seconds = []
    for name, text in zip(PHASES, texts, strict=True):
        what = f"seconds of {name} from 0 to {LONGEST:g}"
        value = number(path, line, text, what)
        if not 0 <= value <= LONGEST:  # nan is not, either
            raise complaint(path, what, shown(text), line)
        seconds.append(value)
    return seconds


def _phases(epochs: list[int], spent: list[list[float] | None]) -> Phases | None:
    """The epochs that have their seconds; None when none has."""
    has = [seconds is not None for seconds in spent]
    if not any(has):
        return None
    return Phases(np.array(epochs)[has], np.array([seconds for seconds in spent if seconds is not None]))


def _next_epoch(path: Path, line: int, text: str, previous: int) -> int:
    epoch = whole(path, line, text, "an epoch number")
    if epoch <= previous:
        raise complaint(path, f"an epoch after {previous}", f"{epoch}", line)
    return epoch


def _flag(path: Path, line: int, text: str) -> bool:
    if text not in ("0", "1"):
        raise complaint(path, "accepted to be 1 or 0", shown(text), line)
    return text == "1"

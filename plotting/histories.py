"""A run's histories: one value an epoch, from a bare column of numbers or from history.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from plotting.textfiles import (
    BadFileError,
    column_places,
    complaint,
    number,
    numbered_lines,
    read_table,
    shown,
    whole,
)

# Beyond this no axis can be computed in float64 without overflow, and no cost means anything.
LARGEST_DRAWN = 1e100


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
class History:
    """history.csv: three curves over the same epochs."""

    cost: Curve
    accuracy: Curve
    learning_rate: Curve


def read_series(path: Path) -> Curve:
    """One number a line, one line an epoch; a folder stands for its part files in sorted order."""
    values = [
        number(part, line, text, "one number") for part in _parts(path) for line, text in numbered_lines(part)
    ]
    if not values:
        raise complaint(path, "one number a line", "no line at all")
    epochs = np.arange(1, len(values) + 1)
    return Curve(epochs, np.array(values), np.ones(len(values), dtype=bool))


def _parts(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    parts = sorted(path.glob("part-*"))
    if not parts:
        raise BadFileError(f"{path}: expected part-* files in this folder, found none")
    return parts


def read_history(path: Path) -> History:
    """history.csv, its columns found by name; columns this program does not know are passed over."""
    header, lines = read_table(path)
    places = column_places(path, header, ("epoch", "cost", "accuracy", "learning_rate", "accepted"))
    epochs: list[int] = []
    stood: list[bool] = []
    measured: list[tuple[float, float, float]] = []
    for line, fields in lines:
        epoch, cost, accuracy, rate, accepted = (fields[place].strip() for place in places)
        epochs.append(_next_epoch(path, line, epoch, epochs[-1] if epochs else 0))
        stood.append(_flag(path, line, accepted))
        cost_, rate_ = number(path, line, cost, "a cost"), number(path, line, rate, "a learning rate")
        measured.append((cost_, _share(path, line, accuracy), rate_))
    costs, accuracies, rates = np.array(measured).T
    when, kept = np.array(epochs), np.array(stood)
    return History(Curve(when, costs, kept), Curve(when, accuracies, kept), Curve(when, rates, kept))


def _next_epoch(path: Path, line: int, text: str, previous: int) -> int:
    epoch = whole(path, line, text, "an epoch number")
    if epoch <= previous:
        raise complaint(path, f"an epoch after {previous}", f"{epoch}", line)
    return epoch


def _flag(path: Path, line: int, text: str) -> bool:
    if text not in ("0", "1"):
        raise complaint(path, "accepted to be 1 or 0", shown(text), line)
    return text == "1"


def _share(path: Path, line: int, text: str) -> float:
    share = number(path, line, text, "an accuracy")
    if share < 0 or share > 1:
        raise complaint(path, "an accuracy from 0 to 1", shown(text), line)
    return share

"""Decode the outputs of a network: class numbers as the user's labels, standardized values in the target's unit.

The model owns its decoder as it owns its encoder.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from nn.core.constraints import Interval, check_fields
from nn.data.arrays import IN_FLOAT32, LARGEST
from nn.data.dialect import NUMBER

Label = str | int | float | bool
_INTEGER = re.compile(r"[+-]?\d{1,300}", re.ASCII)


@dataclass(frozen=True)
class ClassLabels:
    """The labels of classes 0..k-1 in the user's data. Without labels, class numbers are the labels.

    Raises ValueError for fewer than two labels and for labels that are not distinct.
    """

    labels: tuple[Label, ...] | None = None

    def __post_init__(self) -> None:
        labels = self.labels
        if labels is None:
            return
        if len(labels) < 2 or len(set(map(str, labels))) != len(labels):
            raise ValueError(f"expected two or more distinct labels of classes, found {str(labels)[:80]!a}")
        if not any(
            all(type(label) in kinds for label in labels) for kinds in ((str,), (bool,), (int, float))
        ):
            shown = ascii(str(labels)[:80])
            raise ValueError(
                f"expected labels of classes that are names or numbers, of one type, found {shown}"
            )

    def decode(self, numbers: np.ndarray) -> np.ndarray:
        """Return the label of each class number (n,): int64 for class numbers, else of the labels' own type."""
        if self.labels is None:
            return numbers
        labels = np.array(self.labels)
        if labels.tolist() != list(self.labels):  # NumPy's strings end before their last NULs
            labels = np.array(self.labels, object)
        return labels[numbers]

    def names(self, classes: int) -> tuple[str, ...]:
        """Return the name of each class, as files and pictures show it; true and false in lowercase."""
        labels = range(classes) if self.labels is None else self.labels
        return tuple(str(label).lower() if isinstance(label, bool) else str(label) for label in labels)

    def config(self) -> dict[str, Any]:
        """Return the labels as plain JSON values."""
        return {} if self.labels is None else {"labels": list(self.labels)}


@dataclass(frozen=True)
class TargetScale:
    """The mean and the standard deviation of the target of a regression: value = output * scale + mean.

    Raises ValueError unless both are within float32 and the scale is above 0.
    """

    mean: Annotated[float, IN_FLOAT32] = 0.0
    scale: Annotated[float, Interval(float, 0, LARGEST, "right")] = 1.0

    def __post_init__(self) -> None:
        check_fields(self)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Return standardized targets (n, 1) float32 for values (n,)."""
        return ((np.asarray(values, np.float64) - self.mean) / self.scale).astype(np.float32)[:, None]

    def decode(self, outputs: np.ndarray) -> np.ndarray:
        """Return values (n,) float64 in the target's unit for outputs (n, 1)."""
        return outputs[:, 0].astype(np.float64) * self.scale + self.mean

    def config(self) -> dict[str, Any]:
        """Return both as plain JSON values."""
        return {"target": {"mean": self.mean, "scale": self.scale}}


Decoder = ClassLabels | TargetScale


def decoder_from_config(config: dict[str, Any]) -> Decoder:
    """Build a decoder from the entries that `config()` gives. Raises ValueError for what does not fit."""
    if "target" in config:
        target = config["target"]
        if not isinstance(target, dict) or set(target) != {"mean", "scale"}:
            raise ValueError(f"target: expected its mean and its scale, found {str(target)[:80]!a}")
        return TargetScale(**target)
    labels = config.get("labels")
    if labels is not None and not isinstance(labels, list):
        raise ValueError(f"labels: expected a list, found {type(labels).__name__}")
    return ClassLabels(None if labels is None else tuple(labels))


def sorted_labels(names: Iterable[str]) -> tuple[Label, ...]:
    """Return distinct labels in order: numbers as numbers, true and false, else names as text sorts them."""
    distinct = set(names)
    for read in (_as_integer, _as_number, _as_boolean):
        values = [read(name) for name in distinct]
        if None not in values:
            return tuple(sorted({value for value in values if value is not None}))
    return tuple(sorted(distinct))


def are_class_numbers(labels: Sequence[Label]) -> bool:
    """Return whether labels are integers of which the smallest is 0: they are class numbers as they are."""
    return all(type(label) is int for label in labels) and min(labels) == 0


def _as_integer(text: str) -> int | None:
    if _INTEGER.fullmatch(text):
        return int(text)  # exact, where float64 is not
    number = _as_number(text)
    return int(number) if number is not None and number == int(number) else None


def _as_number(text: str) -> float | None:
    if not NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _as_boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())

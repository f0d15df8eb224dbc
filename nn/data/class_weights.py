"""Class weights, which multiply the weights of rows. A row of weight w counts w times in cost and gradients.

balanced    weight of class j = n / (k n_j), so that all classes have the same total weight      (King and Zeng, 2001)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from nn.core.constraints import Interval
from nn.core.options import Reader, invalid
from nn.data.block import LARGEST_WEIGHT, Block
from nn.data.decoding import ClassLabels

NUMBERS = ClassLabels()  # of classes without labels
WEIGHT = Interval(float, 0, LARGEST_WEIGHT)
SHOWN = 10  # classes in a message


@dataclass(frozen=True)
class ClassWeights:
    """Class weights: pairs (name of a class, weight), 1 for all other classes; None: balanced.

    Class numbers are the names of classes without labels. Raises ValueError for weights outside 0..LARGEST_WEIGHT.
    """

    weights: tuple[tuple[str, float], ...] | None = None

    def __post_init__(self) -> None:
        for _, weight in self.weights or ():
            if weight not in WEIGHT:
                raise ValueError(f"a class's weight must be {WEIGHT}, got {weight!r}")

    def table(self, class_rows: np.ndarray, labels: ClassLabels = NUMBERS) -> np.ndarray:
        """Return the weight of each class (k,) for the number of training rows of each class (k,).

        Raises ValueError for a class that does not exist, and if all rows would have weight 0.
        """
        classes = len(class_rows)
        if self.weights is None:
            return class_rows.sum() / (classes * np.maximum(class_rows, 1))
        table, names = np.ones(classes), labels.names(classes)
        for name, weight in self.weights:
            if name not in names:
                listed = ", ".join(names[:SHOWN]) + (", ..." if classes > SHOWN else "")
                known = f"classes 0..{classes - 1}" if labels == NUMBERS else f"the classes {listed}"
                raise ValueError(f"class_weights: expected {known}, found class {name}")
            table[names.index(name)] = weight
        if not (table * class_rows).any():
            raise ValueError("class_weights: expected a weight above 0 for a class that has rows, found none")
        return table


def weigh(table: np.ndarray, block: Block) -> Block:
    """Multiply the weight of each row of a block by the weight of its class; `table` is (k,)."""
    weights = table[block.labels]
    return block._replace(weights=weights if block.weights is None else weights * block.weights)


class ClassWeightsReader(Reader):
    """Read class weights: balanced, or CLASS=WEIGHT separated by commas; in JSON an object or a list too."""

    metavar = "WEIGHTS"

    def text(self, word: str) -> Any:
        """Accept balanced, or pairs separated by commas."""
        if word == "balanced":
            return ClassWeights()
        pairs = [part.replace("\\,", ",").rpartition("=")[::2] for part in re.split(r"(?<!\\),", word)]
        if not all(name for name, _ in pairs):
            raise invalid(self, word)
        return self._named(pairs, word)

    def json(self, value: Any) -> Any:
        """Accept the text of the command line, {"3": 2.5}, or a list with the weight of each class."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            value = dict(enumerate(value))
        if (
            not isinstance(value, dict)
            or not value
            or not all(weight in Interval(float) for weight in value.values())
        ):
            raise invalid(self, value)
        return self._named(list(value.items()), value)

    def _named(self, pairs: list[Any], value: Any) -> ClassWeights:
        try:
            named = {str(name).strip(): float(weight) for name, weight in pairs}
        except (ValueError, OverflowError):
            raise invalid(self, value) from None
        if len(named) < len(pairs):
            raise invalid(f"{self} with each class once", value)
        return ClassWeights(tuple(named.items()))

    def plain(self, value: Any) -> Any:
        """Return balanced, or pairs separated by commas."""
        if value.weights is None:
            return "balanced"
        return ",".join(f"{name}={weight!r}".replace(",", "\\,") for name, weight in value.weights)

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, ClassWeights):
            return False
        return value.weights is None or 0 < len(dict(value.weights)) == len(value.weights)  # each class once

    def __str__(self) -> str:
        return "balanced, or weights as 0=1,3=2.5 or setosa=2"

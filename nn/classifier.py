"""A trained network: a description and its parameters, ready to predict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn.model import Params, Sequential


@dataclass(frozen=True)
class Classifier:
    """Predict classes of raw inputs (n, ...), scaled here as they were in training."""

    model: Sequential
    params: Params
    about: dict[str, Any] = field(default_factory=dict)  # what the file says of its training

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return self.model.classes

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """The likeliest class of each row, (n,)."""
        return np.concatenate([self.model.predict(self.params, part) for part in _parts(inputs)])

    def predict_proba(self, inputs: np.ndarray) -> np.ndarray:
        """The classes' shares for each row, (n, k), each row summing to 1."""
        return np.concatenate([self.model.predict_proba(self.params, part) for part in _parts(inputs)])


PART = 1024  # rows at a time: what lies between the layers of a convolutional network is large


def _parts(inputs: Any) -> list[np.ndarray]:
    rows = np.asarray(inputs)
    return [rows[start : start + PART] for start in range(0, max(len(rows), 1), PART)]

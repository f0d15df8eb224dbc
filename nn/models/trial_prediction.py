"""Predictions of made-up rows, to measure their time and memory on an executor."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from nn.models import model_file


class TrialPrediction(NamedTuple):
    """A model file, and the number of the rows of a block that it predicts."""

    content: bytes
    rows: int

    def run(self) -> float:
        """Predict a block twice, with the model in memory as a task has it; return the seconds of the second time."""
        model, params, _ = model_file.from_bytes(self.content)
        block = np.zeros((self.rows, model.columns), np.float32)
        seconds = 0.0
        for _ in range(2):
            began = time.perf_counter()
            model.loss.predict(model.forward(params, block))
            seconds = time.perf_counter() - began
        return seconds

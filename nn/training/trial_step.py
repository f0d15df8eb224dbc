"""A training step on artificial rows, to measure its time and memory on an executor."""

from __future__ import annotations

import dataclasses
import time
from typing import NamedTuple

import numpy as np

from nn.core import tree
from nn.data import csv
from nn.data.batches import BUFFER, RowSelection
from nn.data.block import Block
from nn.data.local_rdd import LocalRDD
from nn.data.split import Split
from nn.optim.requests import Gradients
from nn.training.backend import Facts, Job
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

STEPS = 2  # the first pays for what is loaded and set up once


class TrialStep(NamedTuple):
    """The training of a recipe on one partition."""

    recipe: Recipe
    width: int  # input values a row
    classes: int
    rows: int  # of the partition, about
    bytes_a_value: int  # of a cached input: 1 or 4

    def run(self) -> float:
        """Take steps, with everything in memory that a task has; return the seconds of the last one.

        Raises ValueError where the network does not fit rows of that width.
        """
        rows = max(self.rows, self.recipe.rounds_per_epoch or 1)
        facts = Facts.of_shapes(self.width, self.classes)
        # The epochs of a round are alike: one is enough, beside the rows that a replica keeps for all of them.
        recipe = dataclasses.replace(self.recipe, epochs_per_round=1)
        run = TrainingRun.of(recipe, facts, Split(rows))
        state, block = run.start().state, self._block(run.plan.batch_size)
        params = run.objective.whole(state.trial)
        request = run.optimizer.ask(state)
        averages = self.recipe.averages_parameters
        job = Job(run.objective, request, RowSelection(self.recipe.seed, 1, run.plan.sample))
        # A sum is taken as well, but of replicas: each has a partition.
        backend = LocalBackend(LocalRDD([[block] * (1 if averages else 2)]))
        # The rows that a replica has in memory.
        ballast = np.ones(self._buffered if averages else 0, np.uint8)
        for _ in range(STEPS):
            message = tree.copy(params)  # the parameters as they came are in memory meanwhile
            began = time.perf_counter()
            (sums,) = backend.run([job])
            seconds = time.perf_counter() - began
            answer = tree.copy(sums.grads)
            del message, answer, sums
        del ballast, block, backend
        # The blocks that are scored are whole.
        measuring = Job(run.objective, Gradients(state.trial), job.selection._replace(fraction=0.0))
        LocalBackend(LocalRDD([[self._block(None)]])).run([measuring])
        return seconds

    @property
    def _buffered(self) -> int:
        """Return the bytes of a replica's buffer, its blocks and their concatenation, and of rows kept for a round."""
        rows = self.rows * self.width * self.bytes_a_value
        return 2 * min(BUFFER, rows) + (rows if self.recipe.epochs_per_round > 1 else 0)

    def _block(self, batch: int | None) -> Block:
        rows = min(self.rows, csv.chunk_rows(self.width), batch or self.rows)
        inputs = np.random.default_rng(0).integers(0, 256, (rows, self.width), np.uint8)
        labels = np.arange(rows) % self.classes
        kind = np.uint8 if self.bytes_a_value == 1 else np.float32
        return Block(np.arange(rows), inputs.astype(kind, copy=False), labels.astype(np.int16))

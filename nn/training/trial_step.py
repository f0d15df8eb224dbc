"""A step of the training on made-up rows: what it asks of a process can then be measured, not guessed."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

from nn.core import tree
from nn.data import csv
from nn.data.block import Block
from nn.data.local_rdd import LocalBroadcast, LocalRDD
from nn.optim.parameter_averaging import ParameterAveraging
from nn.training import chain, replicas
from nn.training.recipe import Recipe
from nn.training.records import RowSelection

STEPS = 2  # the first pays for what is loaded and set up once


class Rehearsal(NamedTuple):
    """The training of a recipe on one partition."""

    recipe: Recipe
    width: int  # input values a row
    classes: int
    rows: int  # of the partition, about
    bytes_a_value: int  # of a cached input: 1 or 4

    def run(self) -> float:
        """Take steps, with all in memory that a task holds meanwhile; gives the last one's seconds.

        Raises ValueError where the network does not fit rows of that width.
        """
        model = self.recipe.model(self.width, self.classes)
        params = model.init(self.recipe.seed)
        plan = self.recipe.plan(max(self.rows, self.recipe.rounds_per_epoch or 1))
        optimizer = self.recipe.optimizer_for(plan)
        selection = RowSelection(self.recipe.seed, 1, plan.sample)
        block, averages = self._block(plan.batch_size), isinstance(optimizer, ParameterAveraging)
        # The rows that lie in a replica's buffer.
        ballast = np.ones(self._buffered if averages else 0, np.uint8)
        for _ in range(STEPS):
            message = tree.copy(params)  # as which the parameters came lies there meanwhile
            began = time.perf_counter()
            if isinstance(optimizer, ParameterAveraging):
                start = LocalBroadcast(optimizer.round(optimizer.init(params)))
                penalty = self.recipe.penalty()
                sums = chain.sum_in_order(
                    replicas.rounds(
                        LocalRDD([[block]]), model, start, selection, self.recipe.augment, penalty
                    )
                )
            else:
                blocks = LocalRDD([[block] * 2])  # so that a sum is taken as well
                sums = chain.run(blocks, model, LocalBroadcast(params), selection, self.recipe.augment)
            seconds = time.perf_counter() - began
            answer = tree.copy(sums.grads)
            del message, answer, sums
        del ballast, block
        # Blocks are scored whole.
        chain.run(
            LocalRDD([[self._block(None)]]), model, LocalBroadcast(params), selection._replace(fraction=0.0)
        )
        return seconds

    @property
    def _buffered(self) -> int:
        """Bytes of a replica's buffer: the blocks that fill it, and all of them as one."""
        return 2 * min(replicas.BUFFER, self.rows * self.width * self.bytes_a_value)

    def _block(self, batch: int | None) -> Block:
        rows = min(self.rows, csv.chunk_rows(self.width), batch or self.rows)
        inputs = np.random.default_rng(0).integers(0, 256, (rows, self.width), np.uint8)
        labels = np.arange(rows) % self.classes
        kind = np.uint8 if self.bytes_a_value == 1 else np.float32
        return Block(np.arange(rows), inputs.astype(kind, copy=False), labels.astype(np.int16))

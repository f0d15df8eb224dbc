"""Replicas: each takes steps of its own on the rows of one partition, and returns the change of its parameters.

    replica p   W_p <- W;  for each mini-batch of its rows: W_p <- rule(W_p, mean gradient)
    sums        sum_p m_p (W_p - W),  sum_p m_p                                m_p: the weight of the rows of p

The mini-batches go through the chain (chain.py) one after the other, on a list inside the task. A replica counts by the
weight of its rows, so an empty one has no effect. (Local SGD: Stich, 2019; the driver's part is
nn/optim/parameter_averaging.py.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from nn.core import tree
from nn.data.batches import BUFFER, RowSelection, mini_batches, training_blocks
from nn.data.block import Block
from nn.data.local_rdd import LocalBroadcast, LocalRDD
from nn.models.sequential import Sequential
from nn.optim.first_order import descend
from nn.optim.regularization import Penalty
from nn.optim.requests import Change, LocalSteps
from nn.training import chain
from nn.training.adding import ignore_overflow
from nn.training.penalized import with_cost, with_gradient
from nn.training.records import Sums, Times
from nn.training.timing import TimedIterator


def rounds(
    blocks: Any,
    model: Sequential,
    start: Any,
    selection: RowSelection,
    augmentation: tuple,
    penalty: Penalty,
    buffer: float = BUFFER,
    frozen: int = 0,
) -> Any:
    """Return an RDD with the Sums of each partition with training rows. `start.value` is a LocalSteps.

    The `grads` of the sums are a Change times the weight of the replica's rows: its last parameters minus the first
    ones, and the slots of its rule. `buffer` bytes of inputs are shuffled together. The first `frozen` layers, whose
    parameters the request has too, do not learn.
    """
    return blocks.mapPartitions(
        partial(run_replica, model, start, selection, augmentation, penalty, buffer, frozen)
    )


def run_replica(
    model: Sequential,
    start: Any,
    selection: RowSelection,
    augmentation: tuple,
    penalty: Penalty,
    buffer: float,
    frozen: int,
    blocks: Iterator[Block],
) -> Iterator[Sums]:
    """Run one round of a replica over its blocks. Its cost has the penalty of its last parameters."""
    began, source = time.perf_counter(), TimedIterator(blocks)
    request: LocalSteps = start.value
    first = request.params[frozen:]
    params, slots = tree.copy(first), tree.copy(request.slots)
    handle = LocalBroadcast([*request.params[:frozen], *params])
    batches = mini_batches(training_blocks(selection, source), request.batch_size, selection, buffer)
    # The chain is lazy: each batch goes through the layers as the step before has left them.
    partial_sums = chain.step(
        LocalRDD([batches]), model, handle, selection._replace(batch=None), augmentation, frozen
    )
    total = Sums()
    with ignore_overflow():
        for sums in partial_sums:
            sums = with_gradient(penalty, params, sums)
            if sums.weight:  # rows without weight have no gradient
                descend(request.rule, request.rate, request.clip, params, slots, sums.grads, sums.weight)
            total += sums.without_grads()
    total = with_cost(penalty, params, total)
    total = total._replace(times=Times(source.seconds, time.perf_counter() - began - source.seconds))
    if total.weight:
        change = Change(tree.map_arrays(np.subtract, params, first), slots)
        weighted = tree.map_arrays(partial(_weighted, total.weight), change)
        yield total._replace(grads=weighted)
    elif total.train.rows:
        yield total


@np.errstate(over="ignore", invalid="ignore")
def _weighted(weight: float, array: np.ndarray) -> np.ndarray:
    """Multiply the array by a weight; integers in float64, so that their mean can be taken."""
    return array * (array.dtype.type(weight) if array.dtype.kind == "f" else weight)

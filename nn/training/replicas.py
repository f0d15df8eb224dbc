"""Replicas: each takes steps of its own on the rows of one partition, and returns the change of its parameters.

    replica p   W_p <- W;  for each mini-batch of its rows: W_p <- rule(W_p, mean gradient)
    sums        sum_p m_p (W_p - W),  sum_p m_p                                m_p: the weight of the rows of p

A round may be several epochs: a replica then keeps its rows in memory, and goes through them once per epoch.

The mini-batches go through the chain (chain.py) one after the other, on a list inside the task. A replica counts by the
weight of its rows, so an empty one has no effect. (Local SGD: Stich, 2019; the driver's part is
nn/optim/parameter_averaging.py.)
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from nn.core import tree
from nn.core.tree import Tree
from nn.data.batches import RowSelection, kept, mini_batches, training_blocks
from nn.data.block import Block
from nn.data.local_rdd import LocalBroadcast, LocalRDD
from nn.models.sequential import Sequential
from nn.optim.first_order import FLUSH_STEPS, descend, flush_denormal
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
    frozen: int = 0,
) -> Any:
    """Return an RDD with the Sums of each partition with training rows. `start.value` is a LocalSteps.

    The `grads` of the sums are a Change times the weight of the replica's rows: its last parameters minus the first
    ones, and the slots of its rule. The first `frozen` layers, whose
    parameters the request has too, do not learn.
    """
    return blocks.mapPartitions(partial(run_replica, model, start, selection, augmentation, penalty, frozen))


def run_replica(
    model: Sequential,
    start: Any,
    selection: RowSelection,
    augmentation: tuple,
    penalty: Penalty,
    frozen: int,
    blocks: Iterator[Block],
) -> Iterator[Sums]:
    """Run one round of a replica over its blocks."""
    began, source, read = time.perf_counter(), TimedIterator(blocks), 0.0
    request: LocalSteps = start.value
    first = request.params[frozen:]
    params, slots = tree.copy(first), tree.copy(request.slots)
    handle = LocalBroadcast([*request.params[:frozen], *params])
    rows: Iterable[Block] = training_blocks(selection, source)
    if len(request.rates) > 1:
        rows = kept(rows)
    epochs = []
    for epoch, rate in enumerate(request.rates, selection.epoch):
        selection = selection._replace(epoch=epoch)
        batches = mini_batches(rows, request.batch_size, selection)
        # The chain is lazy: each batch goes through the layers as the step before has left them.
        partial_sums = chain.step(
            LocalRDD([batches]), model, handle, selection._replace(batch=None), augmentation, frozen
        )
        total = _take_steps(request, rate, penalty, params, slots, partial_sums)
        ended, read = time.perf_counter(), source.seconds - read
        epochs.append(total._replace(times=Times(read, ended - began - read)))
        began, read = ended, source.seconds
    *earlier, last = epochs
    last = last._replace(earlier=tuple(earlier))
    if last.weight:
        change = Change(tree.map_arrays(np.subtract, params, first), slots)
        yield last._replace(grads=tree.map_arrays(partial(_weighted, last.weight), change))
    elif last.train.rows:
        yield last


def _take_steps(
    request: LocalSteps, rate: float, penalty: Penalty, params: Tree, slots: Tree, partial_sums: Any
) -> Sums:
    """Take a step along each of the gradients, which overwrites the parameters and the slots. Return the measures.

    The cost has the penalty of the last parameters.
    """
    total, steps = Sums(), 0
    with ignore_overflow():
        for sums in partial_sums:
            if steps % FLUSH_STEPS == 0:
                flush_denormal(slots)
            steps += 1
            sums = with_gradient(penalty, params, sums)
            if sums.weight:  # rows without weight have no gradient
                descend(request.rule, rate, request.clip, params, slots, sums.grads, sums.weight)
            total += sums.without_grads()
            del sums  # its gradients' memory, still in the processor's cache, is used by the next step
    return with_cost(penalty, params, total)


@np.errstate(over="ignore", invalid="ignore")
def _weighted(weight: float, array: np.ndarray) -> np.ndarray:
    """Multiply the array by a weight; integers in float64, so that their mean can be taken."""
    return array * (array.dtype.type(weight) if array.dtype.kind == "f" else weight)

"""Replicas: each descends by itself over its own partition of blocks, and what comes home is how far it went.

    replica p   W_p <- W;  for each mini-batch of its rows: W_p <- rule(W_p, mean gradient)
    home        sum_p m_p (W_p - W),  sum_p m_p                                       m_p: what the rows of p weigh

The mini-batches go through the chain (chain.py) one after the other, on a list inside the task. A replica of few rows
counts as little as its rows do, an empty one not at all. (Local SGD: Stich, 2019; the driver's part is
nn/optim/parameter_averaging.py.)
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from nn.core import random, tree
from nn.data.block import Block
from nn.data.local_rdd import LocalBroadcast, LocalRDD
from nn.models.sequential import Sequential
from nn.optim.first_order import descend
from nn.optim.parameter_averaging import Round
from nn.optim.regularization import Penalty
from nn.training import chain
from nn.training.penalized import with_cost, with_gradient
from nn.training.records import RowSelection, Sums, Times

BUFFER = 32 << 20  # bytes of inputs that are shuffled together, so that a replica's memory stays bounded


def rounds(
    blocks: Any,
    model: Sequential,
    start: Any,
    selection: RowSelection,
    augmentation: tuple,
    penalty: Penalty,
    buffer: float = BUFFER,
) -> Any:
    """A Sums for each partition that holds rows to learn from; `blocks` is as in chain.py, `start.value` a Round.

    A tally's `grads` are {"change", "slots"}, each times the weight of the replica's rows: its parameters at the end
    less those at the start, and what its rule keeps beside them. `buffer` bytes of inputs are shuffled together.
    """
    return blocks.mapPartitions(partial(run_replica, model, start, selection, augmentation, penalty, buffer))


def run_replica(
    model: Sequential,
    start: Any,
    selection: RowSelection,
    augmentation: tuple,
    penalty: Penalty,
    buffer: float,
    blocks: Iterator[Block],
) -> Iterator[Sums]:
    """One replica's round over its blocks; the penalty in its cost is that of where it ends."""
    began, source = time.perf_counter(), chain.TimedIterator(blocks)
    told: Round = start.value
    params, slots = tree.copy(told.params), tree.copy(told.slots)
    batches = mini_batches(chain.training_blocks(selection, source), told.batch_size, selection, buffer)
    # The chain is lazy: each batch goes through the layers as the step before has left them.
    partial_sums = chain.gradients(
        LocalRDD([batches]), model, LocalBroadcast(params), selection._replace(batch=None), augmentation
    )
    total = Sums()
    with chain.ignore_overflow():
        for sums in partial_sums:
            sums = with_gradient(penalty, params, sums)
            if sums.weight:  # rows that weigh nothing say nothing of where to go
                descend(told.rule, told.rate, told.clip, params, slots, sums.grads, sums.weight)
            total += sums.without_grads()
    total = with_cost(penalty, params, total)
    total = total._replace(times=Times(source.seconds, time.perf_counter() - began - source.seconds))
    if total.weight:
        gone = {"change": tree.map_arrays(np.subtract, params, told.params), "slots": slots}
        weighed = tree.map_arrays(partial(_weighed, total.weight), gone)
        yield total._replace(grads=weighed)
    elif total.train.rows:
        yield total


@np.errstate(over="ignore", invalid="ignore")
def _weighed(weight: float, array: np.ndarray) -> np.ndarray:
    """The array times a weight; whole numbers in float64, so that their mean can be taken."""
    return array * (array.dtype.type(weight) if array.dtype.kind == "f" else weight)


def buffered_rows(row_bytes: int) -> int:
    """How many rows of so many bytes are shuffled together."""
    return max(1, BUFFER // row_bytes)


def mini_batches(
    blocks: Iterator[Block], size: int, selection: RowSelection, buffer: float = BUFFER
) -> Iterator[Block]:
    """Blocks -> batches of at most `size` rows in a fresh order each epoch, shuffled within so many bytes of inputs.

    From a full buffer whole batches are taken, all but one batch's rows at least, which stay for the next filling: so
    the last rows can be cut evenly, and no batch is a mere handful.
    """
    held: list[Block] = []
    rows, filling, first = 0, 0, 0
    for block in blocks:
        if not len(block.rows):
            continue
        if not held and not filling:
            first = int(block.rows[0])
        held.append(block)
        rows += len(block.rows)
        if rows >= 2 * size and rows * block.inputs[0].nbytes >= buffer:
            whole, order = _shuffled(held, selection, first, filling)
            cut = (rows // size - 1) * size
            for at in range(0, cut, size):
                yield whole.take(order[at : at + size])
            held, rows, filling = [whole.take(order[cut:])], rows - cut, filling + 1
    if rows:
        whole, order = _shuffled(held, selection, first, filling)
        count = random.batch_count(rows, size)
        for number in range(count):
            yield whole.take(order[rows * number // count : rows * (number + 1) // count])


def _shuffled(
    held: list[Block], selection: RowSelection, first: int, filling: int
) -> tuple[Block, np.ndarray]:
    """The buffer as one block, and an order of its rows: a function of seed, epoch and where the buffer stands."""
    whole = chain.join(held)
    key = random.Key((random.REPLICAS, selection.seed, selection.epoch, first, filling))
    return whole, key.generator().permutation(len(whole.rows))

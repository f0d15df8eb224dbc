"""THE SHAPE: blocks -> draw -> augment -> forward and activation, layer by layer -> loss -> backpropagation -> sum.

`blocks` is anything with map, filter, mapPartitions and reduce: Spark's RDD on a cluster, nn.data.local_rdd.LocalRDD
without one. `params` is a handle whose `.value` is the list of the layers' parameters: Spark's Broadcast, or a
LocalBroadcast. Consecutive maps cost no passes over the data: Spark runs them as one stage, block by block.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np

from nn.core import random
from nn.data.augmentation import augment
from nn.data.block import Block
from nn.layers import Layer
from nn.models.sequential import Sequential
from nn.training.records import Batch, Measures, RowSelection, Sums, Times

# partial, not lambda: a lambda in the loop would see only the last layer.


def run(
    blocks: Any,
    model: Sequential,
    params: Any,
    selection: RowSelection,
    augmentation: tuple = (),
    total: Callable | None = None,
) -> Sums:
    """What the draw asks for, added up by `total`: gradients, or costs alone where no row is to send any."""
    if selection.fraction == 0:
        partial_sums = costs(blocks, model, params, selection)
    else:
        partial_sums = gradients(blocks, model, params, selection, augmentation)
    return (total or sum_in_order)(partial_sums)


def gradients(
    blocks: Any, model: Sequential, params: Any, selection: RowSelection, augmentation: tuple = ()
) -> Any:
    """Send every drawn row forward and back: for each block a Sums of its summed loss, hits and gradients."""
    passes = selected_blocks(blocks, selection).mapPartitions(partial(select_batches, model, selection))
    if augmentation:
        passes = passes.map(partial(augment_inputs, augmentation, selection))
    passes = forward_passes(passes, model, params).map(partial(loss_and_gradient, model.loss))
    first = model.first_trainable  # nobody reads d loss / d x of what lies before it
    for index in reversed(range(len(model.layers))):
        passes = passes.map(partial(backward, model.layers[index], index, params, index > first))
    return passes.map(to_sums)


def costs(blocks: Any, model: Sequential, params: Any, selection: RowSelection) -> Any:
    """Send every drawn row forward as in prediction: for each block a Sums of its summed loss and hits alone."""
    clean = selection._replace(fraction=0.0)
    passes = forward_passes(
        selected_blocks(blocks, clean).mapPartitions(partial(select_batches, model, clean)), model, params
    )
    return passes.map(partial(measure, model.loss)).map(to_sums)


def sum_in_order(partial_sums: Any) -> Sums:
    """Add up within each partition, then over the partitions in their order."""
    with ignore_overflow():
        return partial_sums.reduce(add_sums)


def ignore_overflow() -> Any:
    """Silence for overflows: a step too far overflows, Bold Driver takes such steps on purpose, and the cost tells.

    Stages run when their tallies are taken, so it is said there, not once a stage and block.
    """
    return np.errstate(over="ignore", invalid="ignore")


def forward_passes(passes: Any, model: Sequential, params: Any) -> Any:
    """Send passes through all layers."""
    for index, layer in enumerate(model.layers):
        passes = passes.map(partial(forward, layer, index, params))
    return passes


def selected_blocks(blocks: Any, selection: RowSelection) -> Any:
    """The blocks that the job is about."""
    return blocks.filter(is_validation) if selection.validation_only else blocks


# ---- one block at each stage ----


class TimedIterator:
    """Blocks as they come, and how long they were waited for."""

    def __init__(self, blocks: Iterable[Block]):
        self._blocks = iter(blocks)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[Block]:
        return self

    def __next__(self) -> Block:
        began = time.perf_counter()
        try:
            return next(self._blocks)
        finally:
            self.seconds += time.perf_counter() - began


def select_batches(model: Sequential, selection: RowSelection, blocks: Iterator[Block]) -> Iterator[Batch]:
    """Begin with each block of a partition, or of its part of a mini-batch, and note how long it was waited for."""
    source, waited = TimedIterator(blocks), 0.0
    began = time.perf_counter()
    for block in source if selection.batch is None else training_blocks(selection, source):
        batch = start_batch(model, selection, block)
        batch.read, waited = source.seconds - waited, source.seconds
        batch.began = began + batch.read  # so that packing a mini-batch counts as computing
        yield batch
        began = time.perf_counter()  # by now the block has gone through all stages


def start_batch(model: Sequential, selection: RowSelection, block: Block) -> Batch:
    """Scale the inputs, mark the rows that will send gradients, and give random layers their key."""
    batch = Batch(block.rows, block.labels, block.weights, model.prepare(block.inputs), block.validation)
    if block.validation or selection.fraction == 0:
        return batch
    if selection.fraction < 1:
        batch.senders = random.sample(selection.seed, selection.epoch, block.rows, selection.fraction)
    first = int(block.rows[0]) if len(block.rows) else 0
    batch.key = random.Key((random.LAYERS, selection.seed, selection.epoch, first))
    return batch


def augment_inputs(augmentation: tuple, selection: RowSelection, batch: Batch) -> Batch:
    """Draw each training image anew, as a function of the seed, the epoch and the row."""
    if batch.key is not None:
        batch.x = augment(augmentation, batch.x, batch.rows, selection.seed, selection.epoch)
    return batch


def forward(layer: Layer, index: int, params: Any, batch: Batch) -> Batch:
    """One layer forward."""
    key = batch.key.child(index) if batch.key is not None and layer.is_random else None
    batch.x, cache = layer.forward(params.value[index], batch.x, key=key)
    batch.caches.append(cache)
    return batch


def measure(loss: Any, batch: Batch) -> Batch:
    """Sum loss and hits over the block's rows."""
    return _measured(loss, batch, loss.value(batch.x, batch.labels, batch.weights))


def loss_and_gradient(loss: Any, batch: Batch) -> Batch:
    """Measure, and turn the loss round: its gradient by the outputs, zero for rows that send none."""
    if batch.validation:
        return measure(loss, batch)
    value, batch.dout = loss.value_and_grad(batch.x, batch.labels, batch.weights)
    if batch.senders is not None:
        batch.dout *= batch.senders[:, None]
    return _measured(loss, batch, value)


def backward(layer: Layer, index: int, params: Any, needs_dx: bool, batch: Batch) -> Batch:
    """One layer back: its gradients are kept, d loss / d x goes on to the layer before."""
    if batch.validation:
        return batch
    grads: Any = {}
    cache = batch.caches.pop()
    if batch.dout is not None:
        grads, batch.dout = layer.backward(params.value[index], cache, batch.dout, needs_dx=needs_dx)
    batch.grads.append(grads)
    return batch


def to_sums(batch: Batch) -> Sums:
    """Keep the sums, drop the rows."""
    assert batch.measures is not None
    times = Times(batch.read, time.perf_counter() - batch.began)
    if batch.validation:
        return Sums(validation=batch.measures, times=times)
    if not batch.grads:
        return Sums(batch.measures, times=times)
    senders, weights = batch.senders, batch.weights
    count = len(batch.labels) if senders is None else int(senders.sum())
    if weights is None:
        weight = float(count)
    else:
        weight = float((weights if senders is None else weights[senders]).sum(dtype=np.float64))
    return Sums(batch.measures, Measures(), count, weight, batch.grads[::-1], times)


def add_sums(one: Sums, other: Sums) -> Sums:
    """Sum two tallies."""
    began = time.perf_counter()
    both = one + other
    return both._replace(times=both.times + Times(sum=time.perf_counter() - began))


def is_validation(block: Block) -> bool:
    """Whether the block's rows are measured only."""
    return block.validation


def _measured(loss: Any, batch: Batch, value: float) -> Batch:
    hits, weights = loss.predict(batch.x) == batch.labels, batch.weights
    weight = float(len(hits) if weights is None else weights.sum(dtype=np.float64))
    batch.measures = Measures(len(hits), weight, value, int(np.count_nonzero(hits)))
    return batch


# ---- a mini-batch ----


def training_blocks(selection: RowSelection, blocks: Iterator[Block]) -> Iterator[Block]:
    """A partition's blocks without those held out; of one batch among several, its strewn rows, packed into blocks."""
    blocks = (block for block in blocks if not block.validation)
    return gather(selection, blocks) if selection.batches > 1 else blocks


def gather(selection: RowSelection, blocks: Iterator[Block]) -> Iterator[Block]:
    """Pack a mini-batch's rows, strewn over a partition's blocks, into blocks of FULL_BLOCK rows or a little more."""
    packed: list[Block] = []
    for block in blocks:
        numbers = random.batch_numbers(
            selection.seed, selection.epoch, block.rows, selection.total, selection.batches
        )
        packed.append(block.take(np.flatnonzero(numbers == selection.batch)))
        if sum(len(part.rows) for part in packed) >= FULL_BLOCK:
            yield join(packed)
            packed = []
    if packed:
        yield join(packed)


FULL_BLOCK = 1024  # rows at which a gathered block is sent on, so that a huge batch stays bounded in memory


def join(blocks: list[Block]) -> Block:
    """Stack blocks of one partition on each other."""
    if len(blocks) == 1:
        return blocks[0]
    weights = None if blocks[0].weights is None else np.concatenate([b.weights for b in blocks])
    rows, inputs, labels = (np.concatenate(parts) for parts in zip(*(b[:3] for b in blocks), strict=True))
    return Block(rows, inputs, labels, weights)

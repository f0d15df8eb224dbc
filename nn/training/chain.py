"""THE SHAPE: blocks -> draw -> augment -> forward and activation, layer by layer -> loss -> backpropagation -> sum.

`blocks` is anything with map, filter, mapPartitions and reduce: Spark's RDD on a cluster, nn.data.local_rdd.Blocks
without one. `params` is a handle whose `.value` is the list of the layers' parameters: Spark's Broadcast or
nn.data.local_rdd.Held. Consecutive maps cost no passes over the data: Spark runs them as one stage, block by block.
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
from nn.training.records import Draw, Measures, Pass, Tally, Times

# partial, not lambda: a lambda in the loop would see only the last layer.


def run(
    blocks: Any,
    model: Sequential,
    params: Any,
    draw: Draw,
    augmentation: tuple = (),
    total: Callable | None = None,
) -> Tally:
    """What the draw asks for, added up by `total`: gradients, or costs alone where no row is to send any."""
    if draw.fraction == 0:
        tallies = costs(blocks, model, params, draw)
    else:
        tallies = gradients(blocks, model, params, draw, augmentation)
    return (total or in_order)(tallies)


def gradients(blocks: Any, model: Sequential, params: Any, draw: Draw, augmentation: tuple = ()) -> Any:
    """Send every drawn row forward and back: for each block a Tally of its summed loss, hits and gradients."""
    passes = drawn(blocks, draw).mapPartitions(partial(arrive, model, draw))
    if augmentation:
        passes = passes.map(partial(bend, augmentation, draw))
    passes = forward_passes(passes, model, params).map(partial(lose, model.loss))
    first = model.first_with_params  # nobody reads d loss / d x of what lies before it
    for index in reversed(range(len(model.layers))):
        passes = passes.map(partial(backward, model.layers[index], index, params, index > first))
    return passes.map(tally)


def costs(blocks: Any, model: Sequential, params: Any, draw: Draw) -> Any:
    """Send every drawn row forward as in prediction: for each block a Tally of its summed loss and hits alone."""
    clean = draw._replace(fraction=0.0)
    passes = forward_passes(drawn(blocks, clean).mapPartitions(partial(arrive, model, clean)), model, params)
    return passes.map(partial(measure, model.loss)).map(tally)


def in_order(tallies: Any) -> Tally:
    """Add up within each partition, then over the partitions in their order."""
    with unwarned():
        return tallies.reduce(together)


def unwarned() -> Any:
    """Silence for overflows: a step too far overflows, Bold Driver takes such steps on purpose, and the cost tells.

    Stages run when their tallies are taken, so it is said there, not once a stage and block.
    """
    return np.errstate(over="ignore", invalid="ignore")


def forward_passes(passes: Any, model: Sequential, params: Any) -> Any:
    """Send passes through all layers."""
    for index, layer in enumerate(model.layers):
        passes = passes.map(partial(forward, layer, index, params))
    return passes


def drawn(blocks: Any, draw: Draw) -> Any:
    """The blocks that the job is about."""
    return blocks.filter(is_validation) if draw.validation_only else blocks


# ---- one block at each stage ----


class Awaited:
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


def arrive(model: Sequential, draw: Draw, blocks: Iterator[Block]) -> Iterator[Pass]:
    """Begin with each block of a partition, or of its part of a mini-batch, and note how long it was waited for."""
    source, waited = Awaited(blocks), 0.0
    began = time.perf_counter()
    for block in source if draw.batch is None else learned(draw, source):
        passing = begin(model, draw, block)
        passing.read, waited = source.seconds - waited, source.seconds
        passing.began = began + passing.read  # so that packing a mini-batch counts as computing
        yield passing
        began = time.perf_counter()  # by now the block has gone through all stages


def begin(model: Sequential, draw: Draw, block: Block) -> Pass:
    """Scale the inputs, mark the rows that will send gradients, and give random layers their key."""
    passing = Pass(block.rows, block.labels, block.weights, model.prepare(block.inputs), block.validation)
    if block.validation or draw.fraction == 0:
        return passing
    if draw.fraction < 1:
        passing.senders = random.sample(draw.seed, draw.epoch, block.rows, draw.fraction)
    first = int(block.rows[0]) if len(block.rows) else 0
    passing.key = random.Key((random.LAYERS, draw.seed, draw.epoch, first))
    return passing


def bend(augmentation: tuple, draw: Draw, passing: Pass) -> Pass:
    """Draw each training image anew, as a function of the seed, the epoch and the row."""
    if passing.key is not None:
        passing.x = augment(augmentation, passing.x, passing.rows, draw.seed, draw.epoch)
    return passing


def forward(layer: Layer, index: int, params: Any, passing: Pass) -> Pass:
    """One layer forward."""
    key = passing.key.child(index) if passing.key is not None and layer.is_random else None
    passing.x, cache = layer.forward(params.value[index], passing.x, training=key)
    passing.caches.append(cache)
    return passing


def measure(loss: Any, passing: Pass) -> Pass:
    """Sum loss and hits over the block's rows."""
    return _measured(loss, passing, loss.value(passing.x, passing.labels, passing.weights))


def lose(loss: Any, passing: Pass) -> Pass:
    """Measure, and turn the loss round: its gradient by the outputs, zero for rows that send none."""
    if passing.validation:
        return measure(loss, passing)
    value, passing.dout = loss.value_and_grad(passing.x, passing.labels, passing.weights)
    if passing.senders is not None:
        passing.dout *= passing.senders[:, None]
    return _measured(loss, passing, value)


def backward(layer: Layer, index: int, params: Any, want_dx: bool, passing: Pass) -> Pass:
    """One layer back: its gradients are kept, d loss / d x goes on to the layer before."""
    if passing.validation:
        return passing
    grads: Any = {}
    cache = passing.caches.pop()
    if passing.dout is not None:
        grads, passing.dout = layer.backward(params.value[index], cache, passing.dout, want_dx=want_dx)
    passing.grads.append(grads)
    return passing


def tally(passing: Pass) -> Tally:
    """Keep the sums, drop the rows."""
    assert passing.measures is not None
    times = Times(passing.read, time.perf_counter() - passing.began)
    if passing.validation:
        return Tally(validation=passing.measures, times=times)
    if not passing.grads:
        return Tally(passing.measures, times=times)
    senders, weights = passing.senders, passing.weights
    count = len(passing.labels) if senders is None else int(senders.sum())
    if weights is None:
        weight = float(count)
    else:
        weight = float((weights if senders is None else weights[senders]).sum(dtype=np.float64))
    return Tally(passing.measures, Measures(), count, weight, passing.grads[::-1], times)


def together(one: Tally, other: Tally) -> Tally:
    """Sum two tallies."""
    began = time.perf_counter()
    both = one + other
    return both._replace(times=both.times + Times(sum=time.perf_counter() - began))


def is_validation(block: Block) -> bool:
    """Whether the block's rows are measured only."""
    return block.validation


def _measured(loss: Any, passing: Pass, value: float) -> Pass:
    hits, weights = loss.decide(passing.x) == passing.labels, passing.weights
    weight = float(len(hits) if weights is None else weights.sum(dtype=np.float64))
    passing.measures = Measures(len(hits), weight, value, int(np.count_nonzero(hits)))
    return passing


# ---- a mini-batch ----


def learned(draw: Draw, blocks: Iterator[Block]) -> Iterator[Block]:
    """A partition's blocks without those held out; of one batch among several, its strewn rows, packed into blocks."""
    blocks = (block for block in blocks if not block.validation)
    return gather(draw, blocks) if draw.batches > 1 else blocks


def gather(draw: Draw, blocks: Iterator[Block]) -> Iterator[Block]:
    """Pack a mini-batch's rows, strewn over a partition's blocks, into blocks of FULL_BLOCK rows or a little more."""
    packed: list[Block] = []
    for block in blocks:
        numbers = random.batch_numbers(draw.seed, draw.epoch, block.rows, draw.total, draw.batches)
        packed.append(block.take(np.flatnonzero(numbers == draw.batch)))
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

"""THE SHAPE: blocks -> draw -> forward and activation, layer by layer -> loss -> backpropagation -> sum.

`blocks` is anything with map, mapPartitions and reduce: Spark's RDD on a cluster, nn.local.Blocks without
one. `params` is a handle whose `.value` is the list of the layers' parameters: Spark's Broadcast or
nn.local.Held. Consecutive maps cost no passes over the data: Spark runs them as one stage, block by block.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import add
from typing import Any

import numpy as np

from nn import sampling
from nn.layers import Layer
from nn.model import Sequential
from nn.records import Block, Draw, Measures, Pass, Tally

# partial, not lambda: a lambda in the loop would see only the last layer.


def gradients(blocks: Any, model: Sequential, params: Any, draw: Draw) -> Tally:
    """Run every drawn row forward and back; give the summed loss, hits and gradients."""
    passes = forward_passes(blocks, model, params, draw)
    passes = passes.map(partial(lose, model.loss))
    for index in reversed(range(len(model.layers))):
        passes = passes.map(partial(backward, model.layers[index], index, params))
    return passes.map(tally).reduce(add)


def costs(blocks: Any, model: Sequential, params: Any, draw: Draw) -> Tally:
    """Run every drawn row forward; give the summed loss and hits alone."""
    passes = forward_passes(blocks, model, params, draw)
    return passes.map(partial(measure, model.loss)).map(tally).reduce(add)


def forward_passes(blocks: Any, model: Sequential, params: Any, draw: Draw) -> Any:
    """The rows of the draw, sent through all layers."""
    if draw.batch is not None:
        blocks = blocks.mapPartitions(partial(gather, draw))
    passes = blocks.map(partial(begin, model, draw))
    for index, layer in enumerate(model.layers):
        passes = passes.map(partial(forward, layer, index, params))
    return passes


# ---- one block at each stage ----

# A step too far overflows; Bold Driver takes such steps on purpose, and the cost tells of them.
unwarned = np.errstate(over="ignore", invalid="ignore")


def begin(model: Sequential, draw: Draw, block: Block) -> Pass:
    """Scale the inputs and mark the rows that will send gradients."""
    senders = None
    if draw.fraction < 1:
        senders = sampling.sample(draw.seed, draw.epoch, block.rows, draw.fraction)
    return Pass(block.labels, block.weights, senders, model.prepare(block.inputs))


@unwarned
def forward(layer: Layer, index: int, params: Any, passing: Pass) -> Pass:
    """One layer forward."""
    out, cache = layer.forward(params.value[index], passing.x, training=None)
    return passing._replace(x=out, caches=(*passing.caches, cache))


@unwarned
def measure(loss: Any, passing: Pass) -> Pass:
    """Sum loss and hits over the block's rows."""
    hits = np.argmax(passing.x, axis=1) == passing.labels
    weights = passing.weights
    measures = Measures(
        rows=len(hits),
        weight=float(len(hits) if weights is None else weights.sum(dtype=np.float64)),
        loss=loss.value(passing.x, passing.labels, weights),
        correct=float(hits.sum() if weights is None else hits @ weights),
    )
    return passing._replace(measures=measures)


@unwarned
def lose(loss: Any, passing: Pass) -> Pass:
    """Measure, and turn the loss round: its gradient by the outputs, zero for rows that send none."""
    dout = loss.grad(passing.x, passing.labels, passing.weights)
    if passing.senders is not None:
        dout *= passing.senders[:, None]
    return measure(loss, passing)._replace(dout=dout)


@unwarned
def backward(layer: Layer, index: int, params: Any, passing: Pass) -> Pass:
    """One layer back: its gradients are kept, d loss / d x goes on to the layer before."""
    cache = passing.caches[index]
    grads, dx = layer.backward(params.value[index], cache, passing.dout, want_dx=index > 0)
    return passing._replace(dout=dx, caches=passing.caches[:index], grads=(grads, *passing.grads))


def tally(passing: Pass) -> Tally:
    """Keep the sums, drop the rows."""
    assert passing.measures is not None
    if not passing.grads:
        return Tally(passing.measures)
    senders, weights = passing.senders, passing.weights
    count = len(passing.labels) if senders is None else int(senders.sum())
    if weights is None:
        weight = float(count)
    else:
        weight = float((weights if senders is None else weights[senders]).sum(dtype=np.float64))
    return Tally(passing.measures, count, weight, list(passing.grads))


# ---- a mini-batch ----


def gather(draw: Draw, blocks: Iterator[Block]) -> Iterator[Block]:
    """Pack a mini-batch's rows, strewn over a partition's blocks, into blocks of one batch size at most."""
    packed: list[Block] = []
    for block in blocks:
        numbers = sampling.batch_numbers(draw.seed, draw.epoch, block.rows, draw.total, draw.batch_size)
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

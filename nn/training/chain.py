"""A training step as chained maps: select -> forward, layer by layer -> loss -> backward, layer by layer -> sums.

`blocks` is Spark's RDD on a cluster and a LocalRDD without one. `params` is a handle whose `.value` is the list of the
layers' parameters: Spark's Broadcast or a LocalBroadcast. Spark runs consecutive maps in one stage, block by block; the
reduce follows in nn/spark/aggregate.py. The first `frozen` layers run as in prediction and get no gradients.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from nn.data.batches import RowSelection
from nn.layers import Layer
from nn.models.losses import Loss
from nn.models.sequential import Sequential
from nn.training.batching import select
from nn.training.records import Batch, Sums, Times, measures_of

# partial, not lambda: a lambda in the loop would see only the last layer.


def step(
    blocks: Any, model: Sequential, params: Any, selection: RowSelection, augmentation: tuple, frozen: int = 0
) -> Any:
    """Return an RDD with the Sums of each batch: its loss, and its gradients unless the selection's fraction is 0."""
    learns = selection.fraction > 0
    batches = blocks.mapPartitions(partial(select, model, augmentation, selection))
    for index, layer in enumerate(model.layers):
        batches = batches.map(partial(forward if index >= frozen else predict, layer, index, params))
    batches = batches.map(partial(loss_and_gradient, model.loss, learns))
    first = model.first_trainable(frozen)  # up to it no gradient with respect to the inputs is needed
    for index in reversed(range(frozen, len(model.layers))) if learns else ():
        batches = batches.map(partial(backward, model.layers[index], index, params, index > first))
    return batches.map(to_sums)


def predict(layer: Layer, index: int, params: Any, batch: Batch) -> Batch:
    """Compute the output of one frozen layer: nothing is drawn, and nothing is kept for a backward pass."""
    batch.x, _ = layer.forward(params.value[index], batch.x)
    return batch


def forward(layer: Layer, index: int, params: Any, batch: Batch) -> Batch:
    """Compute the output of one layer, and keep what its backward pass needs."""
    key = batch.key.child(index) if batch.key is not None and layer.is_random else None
    batch.x, cache = layer.forward(params.value[index], batch.x, key=key)
    batch.caches.append(cache)
    return batch


def loss_and_gradient(loss: Loss, learns: bool, batch: Batch) -> Batch:
    """Compute the loss and its gradient with respect to the outputs. Rows outside the sample get a zero gradient."""
    if not learns or batch.validation:
        value = loss.value(batch.x, batch.labels, batch.weights)
    else:
        value, batch.dout = loss.value_and_grad(batch.x, batch.labels, batch.weights)
        if batch.sampled is not None:
            batch.dout *= batch.sampled[:, None]
    batch.measures = measures_of(value, loss.correct(batch.x, batch.labels), batch)
    return batch


def backward(layer: Layer, index: int, params: Any, needs_dx: bool, batch: Batch) -> Batch:
    """Compute the gradients of one layer's parameters, and pass on the gradient with respect to its input."""
    if batch.validation:
        return batch
    grads: Any = {}
    cache = batch.caches.pop()
    if batch.dout is not None:
        grads, batch.dout = layer.backward(params.value[index], cache, batch.dout, needs_dx=needs_dx)
    batch.grads.append(grads)
    return batch


def to_sums(batch: Batch) -> Sums:
    """Return the sums of a batch, without its rows."""
    times = Times(batch.read, time.perf_counter() - batch.began)
    return Sums.of(batch, times)

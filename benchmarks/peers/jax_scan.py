"""JAX in one process: an epoch is one compiled call, jit of a scan over the mini-batches; rows stay in memory.

python -m benchmarks.peers.jax_scan --data data

Compilation counts as loading. XLA uses all cores as it likes.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import arithmetic, contract, digits, memory

PEER = "jax_scan"
Params = list[tuple[Any, Any]]  # (W, b) of each layer


def main(args: argparse.Namespace) -> contract.Answer:
    """Load, train."""
    jax: Any = importlib.import_module("jax")
    began = time.perf_counter()
    (images, labels), test = (tensors(jax, args.data, part) for part in ("train", "test"))
    widths = (images.shape[1], *args.hidden, contract.CLASSES)
    layers = arithmetic.layers(arithmetic.start(widths, args.seed), widths)
    params = [tuple(map(jax.numpy.asarray, layer)) for layer in layers]
    state = params, jax.tree.map(jax.numpy.zeros_like, params)
    key = jax.random.key(args.seed)
    compiling = time.perf_counter()
    train = jax.jit(epoch(jax, images, labels, args), donate_argnums=0).lower(state, key).compile()
    load = time.perf_counter() - began
    note = f"{jax.devices()[0].platform}; compiled in {time.perf_counter() - compiling:.1f} s"
    number = 0

    def next_epoch() -> None:
        nonlocal state, number
        number += 1
        state = jax.block_until_ready(train(state, jax.random.fold_in(key, number)))

    def accuracy() -> float:
        return float(
            np.mean(np.asarray(logits(jax, state[0], test[0])).argmax(axis=1) == np.asarray(test[1]))
        )

    lines = contract.epochs(args, next_epoch, accuracy)
    return contract.Answer(
        PEER, contract.versions("jax", "numpy"), load, lines, memory.of_processes(()), note
    )


def tensors(jax: Any, folder: str, part: str) -> tuple[Any, Any]:
    """Images (n, d) float32 in 0..1 and labels (n,)."""
    images, labels = digits.read(folder, part)
    return jax.numpy.asarray(digits.scaled(images)), jax.numpy.asarray(labels)


def logits(jax: Any, params: Params, x: Any) -> Any:
    """The network's outputs (n, k) before softmax, for rows (n, d)."""
    for W, b in params[:-1]:
        x = jax.nn.relu(x @ W + b)
    W, b = params[-1]
    return x @ W + b


def cross_entropy(jax: Any, params: Params, x: Any, labels: Any) -> Any:
    """The mean cost of rows (n, d)."""
    chances = jax.nn.log_softmax(logits(jax, params, x))
    return -jax.numpy.take_along_axis(chances, labels[:, None], axis=1).mean()


def epoch(jax: Any, images: Any, labels: Any, args: argparse.Namespace) -> Callable[[Any, Any], Any]:
    """A function ((params, velocity), key) -> the same after an epoch, to be compiled.

    The rows beyond the last whole mini-batch are left out of an epoch, others in each: a scan takes equal batches.
    """
    gradients = jax.grad(partial(cross_entropy, jax))
    batches = len(labels) // args.batch_size

    def step(state: Any, rows: Any) -> Any:
        params, velocity = state
        grads = gradients(params, images[rows], labels[rows])
        velocity = jax.tree.map(lambda v, g: args.momentum * v + g, velocity, grads)
        return (jax.tree.map(lambda p, v: p - args.learning_rate * v, params, velocity), velocity), None

    def whole(state: Any, key: Any) -> Any:
        order = jax.random.permutation(key, len(labels))[: batches * args.batch_size]
        return jax.lax.scan(step, state, order.reshape(batches, args.batch_size))[0]

    return whole


if __name__ == "__main__":
    contract.run(PEER, ("jax", "numpy"), contract.options("JAX in one process."), main)

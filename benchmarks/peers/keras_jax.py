"""Keras on JAX in one process: `fit` for each epoch, its steps compiled by XLA; rows in memory as NumPy arrays.

python -m benchmarks.peers.keras_jax --data data

A first epoch, after which the network gets its start values again, compiles the step and counts as loading.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from typing import Any

import numpy as np

from . import arithmetic, contract, digits, memory

PEER = "keras_jax"
# Steps that Keras hands to XLA at once. Of 1, 8, 32 and 128, this was fastest.
STEPS = 32


def main(args: argparse.Namespace) -> contract.Answer:
    """Load, train."""
    os.environ["KERAS_BACKEND"] = "jax"  # read when keras is imported
    keras: Any = importlib.import_module("keras")
    keras.utils.set_random_seed(args.seed)
    began = time.perf_counter()
    (images, labels), test = (rows(args.data, part) for part in ("train", "test"))
    model = network(keras, images.shape[1], args)
    start = model.get_weights()
    fit(model, images, labels, args)
    model.set_weights(start)
    for velocity in model.optimizer.variables[2:]:  # after the number of steps and the rate
        velocity.assign(np.zeros(velocity.shape, np.float32))
    load = time.perf_counter() - began

    def accuracy() -> float:
        chances = model.predict(test[0], batch_size=1024, verbose=0)
        return float(np.mean(chances.argmax(axis=1) == test[1]))

    lines = contract.epochs(args, lambda: fit(model, images, labels, args), accuracy)
    versions = contract.versions("keras", "jax", "numpy")
    return contract.Answer(PEER, versions, load, lines, memory.of_processes(()), f"{STEPS} steps a call")


def rows(folder: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, d) float32 in 0..1 and labels (n,)."""
    images, labels = digits.read(folder, part)
    return digits.scaled(images), np.asarray(labels)


def network(keras: Any, columns: int, args: argparse.Namespace) -> Any:
    """The network of all peers, with their start values, compiled."""
    widths = (columns, *args.hidden, contract.CLASSES)
    layers = [keras.layers.Dense(units, activation="relu") for units in args.hidden]
    model = keras.Sequential([keras.Input((columns,)), *layers, keras.layers.Dense(contract.CLASSES)])
    model.set_weights(
        [array for layer in arithmetic.layers(arithmetic.start(widths, args.seed), widths) for array in layer]
    )
    model.compile(
        optimizer=keras.optimizers.SGD(args.learning_rate, momentum=args.momentum),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        steps_per_execution=STEPS,
    )
    return model


def fit(model: Any, images: np.ndarray, labels: np.ndarray, args: argparse.Namespace) -> None:
    """Train for an epoch."""
    model.fit(images, labels, batch_size=args.batch_size, epochs=1, shuffle=True, verbose=0)


if __name__ == "__main__":
    contract.run(PEER, ("keras", "jax", "numpy"), contract.options("Keras on JAX in one process."), main)

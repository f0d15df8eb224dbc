"""One row a record: the original tutorial's scheme on Spark, written anew in its spirit.

    python -m benchmarks.peers.per_record --data data --epochs 3

Each record is a tuple of one row's arrays that grows from map to map, and reduce adds up one row's gradients after the
other's; a step an epoch, sigmoids, half squared error.
"""

from __future__ import annotations

import time
from argparse import Namespace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from . import contract, digits, memory, sparksession

PEER = "per_record"
Row = tuple[np.ndarray, ...]


def sigmoid(z: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-z)."""
    return 1 / (1 + np.exp(-z))


def parsed(labels: Any, record: tuple[str, int]) -> Row:
    """(pixels (d,), one-hot label (k,)) of one line and its number."""
    line, number = record
    pixels = np.array(line.split(","), np.float32) / np.float32(digits.WHITE)
    return pixels, np.eye(contract.CLASSES, dtype=np.float32)[labels.value[number]]


def forward(index: int, params: Any, row: Row) -> Row:
    """The row with one layer's output (units,) more; the pixels come first, the label second."""
    W, b = params.value[index]
    x = row[0] if index == 0 else row[-1]
    return (*row, sigmoid(x @ W + b))


def backward(params: Any, row: Row) -> Row:
    """(dW, db) of every layer, the first one's first, for this row alone."""
    pixels, onehot, *outputs = row
    delta = (outputs[-1] - onehot) * outputs[-1] * (1 - outputs[-1])
    grads: list[np.ndarray] = []
    for index in reversed(range(len(outputs))):
        before = outputs[index - 1] if index else pixels
        grads = [np.outer(before, delta), delta, *grads]
        if index:
            delta = (params.value[index][0] @ delta) * before * (1 - before)
    return tuple(grads)


def added(one: Row, other: Row) -> Row:
    """Two rows' gradients, array by array."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def gradients(rows: Any, params: Any) -> Row:
    """Every row forward, layer by layer, and back; their gradients reduced to one sum."""
    for index in range(len(params.value)):
        rows = rows.map(partial(forward, index, params))
    return rows.map(partial(backward, params)).reduce(added)


def main(args: Namespace) -> contract.Answer:
    """Load, train."""
    with sparksession.session(args) as session:
        context = session.sparkContext
        began = time.perf_counter()
        labels = context.broadcast(digits.read_labels(args.data, "train"))
        lines = context.textFile(str(digits.path(args.data, "images", "train")), args.cores)
        rows = lines.zipWithIndex().map(partial(parsed, labels)).cache()
        count = rows.count()
        test_images, test_labels = digits.read(args.data, "test")
        load = time.perf_counter() - began
        widths = (test_images.shape[1], *args.hidden, contract.CLASSES)
        rng = np.random.default_rng(args.seed)
        layers = [
            (rng.uniform(-0.5, 0.5, pair).astype(np.float32), np.zeros(pair[1], np.float32))
            for pair in pairwise(widths)
        ]

        def train() -> None:
            params = context.broadcast(layers)
            sums = gradients(rows, params)
            params.destroy()
            for (W, b), dW, db in zip(layers, sums[::2], sums[1::2], strict=True):
                W -= np.float32(args.learning_rate / count) * dW
                b -= np.float32(args.learning_rate / count) * db

        def accuracy() -> float:
            x = digits.scaled(test_images)
            for W, b in layers:
                x = sigmoid(x @ W + b)
            return float((x.argmax(axis=1) == test_labels).mean())

        measured = contract.epochs(args, train, accuracy)
        memory_peaks = memory.of_spark(context)
        return contract.Answer(PEER, sparksession.versions(context, "numpy"), load, measured, memory_peaks)


if __name__ == "__main__":
    contract.run(PEER, ("pyspark", "numpy"), contract.options("One row a record, on Spark."), main)

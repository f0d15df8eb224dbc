"""Are the drawn digits worth learning? A linear classifier against one hidden layer, in plain NumPy.

Run
    python benchmarks/synthetic_digits.py
prints both test accuracies, and how many rows a second are drawn. The linear one should be clearly the worse.
"""

from __future__ import annotations

import os
import sys
import time
from itertools import pairwise

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from nn.datasets import strokes, synthetic

TRAIN_ROWS, TEST_ROWS = 20_000, 10_000
HIDDEN_UNITS = 64
EPOCHS, BATCH, LEARNING_RATE, MOMENTUM = 20, 100, 0.1, 0.9


def rows(split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw inputs (n, 784) in 0..1 and labels (n,)."""
    blocks = list(synthetic.draw(0, split, count, range(10)))
    images = np.concatenate([block.images for block in blocks])
    return images.reshape(count, -1) / np.float32(255), np.concatenate([block.labels for block in blocks])


def forward(weights: list[np.ndarray], inputs: np.ndarray) -> list[np.ndarray]:
    """Outputs of every layer, the inputs first; hidden layers are ReLU, the last row of W is the bias."""
    outputs = [inputs]
    for layer, W in enumerate(weights):
        out = outputs[-1] @ W[:-1] + W[-1]
        outputs.append(np.maximum(out, 0) if layer < len(weights) - 1 else out)
    return outputs


def gradients(weights: list[np.ndarray], inputs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Mean gradients of the cross-entropy of the softmax."""
    outputs = forward(weights, inputs)
    odds = np.exp(outputs[-1] - outputs[-1].max(axis=1, keepdims=True))
    delta = odds / odds.sum(axis=1, keepdims=True)
    delta[np.arange(len(labels)), labels] -= 1
    grads = []
    for W, out in zip(reversed(weights), reversed(outputs[:-1]), strict=True):
        grads.append(np.vstack([out.T @ delta, delta.sum(axis=0)]) / np.float32(len(labels)))
        delta = (delta @ W[:-1].T) * (out > 0)
    return grads[::-1]


def train(sizes: list[int], inputs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Mini-batches with momentum, the rate falling to nothing."""
    rng = np.random.default_rng(0)
    weights = [
        np.vstack([rng.normal(0, fan_in**-0.5, (fan_in, fan_out)), np.zeros((1, fan_out))]).astype(np.float32)
        for fan_in, fan_out in pairwise(sizes)
    ]
    speeds = [np.zeros_like(W) for W in weights]
    for epoch in range(EPOCHS):
        rate = np.float32(LEARNING_RATE * (1 - epoch / EPOCHS))
        for batch in np.array_split(rng.permutation(len(inputs)), len(inputs) // BATCH):
            for W, speed, grad in zip(
                weights, speeds, gradients(weights, inputs[batch], labels[batch]), strict=True
            ):
                speed *= np.float32(MOMENTUM)
                speed -= rate * grad
                W += speed
    return weights


def main() -> None:
    """Draw, train both, print."""
    strokes.load_strokes()
    started = time.perf_counter()
    train_inputs, train_labels = rows("train", TRAIN_ROWS)
    print(f"drawn: {TRAIN_ROWS / (time.perf_counter() - started):,.0f} rows a second")
    test_inputs, test_labels = rows("test", TEST_ROWS)
    pixels = train_inputs.shape[1]
    for name, sizes in (("linear", [pixels, 10]), ("hidden layer", [pixels, HIDDEN_UNITS, 10])):
        weights = train(sizes, train_inputs, train_labels)
        correct = forward(weights, test_inputs)[-1].argmax(axis=1) == test_labels
        print(f"{name} {'-'.join(map(str, sizes))}: test accuracy {correct.mean():.4f}")


if __name__ == "__main__":
    main()

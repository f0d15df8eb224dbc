"""A perceptron written out by hand: forward, backward and momentum, float32, in buffers that are made once.

forward    h_0 = pixels / 255,   h_i = max(0, h_(i-1) W_i + b_i),   logits = h W + b without the max
loss       - sum_n log softmax(logits)_label
backward   d = softmax - onehot,   dW_i = h_(i-1)^T d,   db_i = sum_n d,   d <- (d W_i^T) [h_(i-1) > 0]
step       v <- m v - r g / n,   w <- w + v;   every 64 steps velocities below 1e-30 become 0, since processors are
           slow at the denormal numbers to which they would decay

All parameters lie in one flat array, of which W_i and b_i are views: a step and a mean are a few operations on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from .digits import WHITE

Layers = list[tuple[np.ndarray, np.ndarray]]  # W (d, units), b (units,)


def size(widths: Sequence[int]) -> int:
    """How many parameters a network of these widths has."""
    return sum((fan_in + 1) * units for fan_in, units in pairwise(widths))


def layers(flat: np.ndarray, widths: Sequence[int]) -> Layers:
    """Each layer's W and b as views of the flat array."""
    predictions, at = [], 0
    for fan_in, units in pairwise(widths):
        W = flat[at : at + fan_in * units].reshape(fan_in, units)
        predictions.append((W, flat[at + fan_in * units : at + (fan_in + 1) * units]))
        at += (fan_in + 1) * units
    return predictions


def start(widths: Sequence[int], seed: int) -> np.ndarray:
    """Start values as nn draws them: He's normal before relu, Glorot's uniform before softmax, biases zero; flat."""
    rng = np.random.default_rng(seed)
    flat = np.zeros(size(widths), np.float32)
    *hidden, (last, _) = layers(flat, widths)
    for W, _ in hidden:
        W[:] = rng.standard_normal(W.shape) * np.sqrt(2 / len(W))
    limit = np.sqrt(6 / sum(last.shape))
    last[:] = rng.uniform(-limit, limit, last.shape)
    return flat


class Perceptron:
    """Parameters, gradients and the buffers for at most `rows` rows at a time."""

    def __init__(self, widths: Sequence[int], rows: int):
        self.values = np.zeros(size(widths), np.float32)
        self.grads = np.zeros_like(self.values)
        self.velocity = np.zeros_like(self.values)
        self._layers = layers(self.values, widths)
        self._layer_grads = layers(self.grads, widths)
        self._outputs = [np.empty((rows, width), np.float32) for width in widths]
        self._deltas = [np.empty((rows, width), np.float32) for width in widths[1:]]
        self._rows = np.arange(rows)
        self._steps = 0

    def forward(self, images: np.ndarray) -> np.ndarray:
        """Logits (n, k) of pixels (n, d)."""
        n = len(images)
        x = self._outputs[0][:n]
        x[:] = images
        x *= np.float32(1 / WHITE)
        for index, (W, b) in enumerate(self._layers, 1):
            x = np.matmul(x, W, out=self._outputs[index][:n])
            x += b
            if index < len(self._layers):
                np.maximum(x, 0, out=x)
        return x

    def backward(self, labels: np.ndarray, scale: float) -> None:
        """Fill `grads` with `scale` times the gradients of the summed loss of the rows that went forward last."""
        n = len(labels)
        logits = self._outputs[-1][:n]
        d = np.subtract(logits, logits.max(axis=1, keepdims=True), out=self._deltas[-1][:n])
        np.exp(d, out=d)
        d /= d.sum(axis=1, keepdims=True)
        d[self._rows[:n], labels] -= 1
        d *= np.float32(scale)
        for index in reversed(range(len(self._layers))):
            before, (dW, db) = self._outputs[index][:n], self._layer_grads[index]
            np.matmul(before.T, d, out=dW)
            np.sum(d, axis=0, out=db)
            if index:
                d = np.matmul(d, self._layers[index][0].T, out=self._deltas[index - 1][:n])
                d *= before > 0

    def step(self, momentum: float) -> None:
        """v <- m v + grads, w <- w + v: the gradients were scaled by minus the rate already."""
        if self._steps % 64 == 0:
            self.velocity[np.abs(self.velocity) < 1e-30] = 0
        self._steps += 1
        self.velocity *= np.float32(momentum)
        self.velocity += self.grads
        self.values += self.velocity

    def train(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        batch_size: int,
        rate: float,
        momentum: float,
        rng: np.random.Generator,
    ) -> None:
        """A pass over the rows (n, d) uint8 in mini-batches, in an order of its own."""
        order = rng.permutation(len(labels))
        for at in range(0, len(order), batch_size):
            batch = order[at : at + batch_size]
            self.forward(images[batch])
            self.backward(labels[batch], -rate / len(batch))
            self.step(momentum)

    def gradients(self, images: np.ndarray, labels: np.ndarray, total: np.ndarray, block: int = 1024) -> None:
        """Fill `total`, flat, with the gradients of the loss summed over all rows, a block at a time."""
        total[:] = 0
        for at in range(0, len(labels), block):
            self.forward(images[at : at + block])
            self.backward(labels[at : at + block], 1.0)
            total += self.grads

    def accuracy(self, images: np.ndarray, labels: np.ndarray, block: int = 1024) -> float:
        """Share of the rows whose largest logit is the label's."""
        hits = 0
        for at in range(0, len(labels), block):
            predictions = self.forward(images[at : at + block]).argmax(axis=1)
            hits += int((predictions == labels[at : at + block]).sum())
        return hits / len(labels)


def mean(replicas: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The mean of replicas (p, values), each weighing as much as it has rows; flat float32."""
    weights = np.asarray(rows, np.float64) / sum(rows)
    return (weights[:, None] * replicas).sum(axis=0).astype(np.float32)

"""Bold Driver as the tutorial's code has it, and as this project has it, on the same rows and from like weights.

Both draw their weights from U(-0.5, 0.5), start at rate 0.1, sample 70 % of the rows and grow the rate by 1.05. They
differ in two points: which costs are compared, and what happens to a step that raised the cost.
"""

from __future__ import annotations

from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

import nn
from nn.datasets.synthetic import draw_set
from nn.plotting.style import DARK, MIDDLE, canvas

ROWS, HIDDEN, CLASSES, EPOCHS = 2000, 16, 10, 150
RATE, GROWTH, SHRINK, SAMPLE = 0.1, 1.05, 0.5, 0.7


class Line(NamedTuple):
    """One epoch."""

    cost: float  # over all rows
    rate: float
    is_wrong: bool = False  # the samples say that the cost fell where it rose, or the other way round


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return drawn digits, every other pixel of each side: (n, 196) in 0..255, and their labels (n,)."""
    with matplotlib.rc_context({"figure.constrained_layout.use": False}):  # which digits are drawn without
        blocks = list(draw_set(0, ROWS, 1).train.blocks())
    images, labels = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return images[:, ::2, ::2].reshape(ROWS, -1), labels.astype(int)


def of_samples(inputs: np.ndarray, labels: np.ndarray, seed: int = 0) -> list[Line]:
    """Train as the tutorial's code does: compare the costs of two samples, and undo nothing."""
    rng = np.random.default_rng(seed)
    x, y = inputs / 255, np.eye(CLASSES)[labels]
    shapes = (x.shape[1], HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,)
    W1, b1, W2, b2 = params = [rng.uniform(-0.5, 0.5, shape) for shape in shapes]
    lines: list[Line] = []
    before, rate = np.inf, RATE
    for _ in range(EPOCHS):
        sampled = rng.random(len(x)) < SAMPLE
        h = 1 / (1 + np.exp(-(x @ W1 + b1)))
        o = 1 / (1 + np.exp(-(h @ W2 + b2)))
        costs = 0.5 * ((o - y) ** 2).sum(axis=1)
        cost, of_sample = float(costs.mean()), float(costs[sampled].mean())
        is_wrong = bool(lines) and (of_sample < before) != (cost < lines[-1].cost)
        if lines:
            rate *= GROWTH if of_sample < before else SHRINK
        lines.append(Line(cost, rate, is_wrong))
        before = of_sample
        delta2 = ((o - y) * o * (1 - o))[sampled]
        delta1 = delta2 @ W2.T * (h * (1 - h))[sampled]
        grads = x[sampled].T @ delta1, delta1.sum(axis=0), h[sampled].T @ delta2, delta2.sum(axis=0)
        for w, gradient in zip(params, grads, strict=True):
            w -= rate / sampled.sum() * gradient
    return lines


def of_all_rows(inputs: np.ndarray, labels: np.ndarray, seed: int = 0) -> list[Line]:
    """Train with this project: compare costs over all rows, and undo a step that raised the cost."""
    _, history = nn.fit(
        inputs,
        labels,
        hidden=HIDDEN,
        initializer="original",
        sample=SAMPLE,
        learning_rate=RATE,
        schedule=f"bold-driver:{GROWTH}",
        epochs=EPOCHS,
        seed=seed,
    )
    return [Line(line.cost, line.learning_rate) for line in history]


def picture() -> Figure:
    """Draw the cost over all rows and the learning rate of both."""
    rows = digits()
    runs = ("two samples, no undo", MIDDLE, of_samples(*rows)), ("all rows, undo", DARK, of_all_rows(*rows))
    figure, _ = canvas(9.5, 6.4, rows=2)
    costs, rates = figure.axes
    epochs = np.arange(1, EPOCHS + 1)
    for name, color, lines in runs:
        costs.plot(epochs, [line.cost for line in lines], color=color, linewidth=2, label=name)
        rates.plot(epochs, [line.rate for line in lines], color=color, linewidth=2)
        wrong = [(epoch, line.rate) for epoch, line in enumerate(lines, 1) if line.is_wrong]
        if wrong:
            rates.plot(*zip(*wrong, strict=True), "x", color="#1c2329", label=f"wrong verdict: {len(wrong)}")
    costs.set(ylabel="cost over all rows", ylim=(0.15, 1))
    rates.set(ylabel="learning rate", xlabel="epoch", yscale="log")
    rates.yaxis.set_major_locator(LogLocator(numticks=5))
    rates.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    rates.yaxis.set_minor_locator(NullLocator())
    for axes in (costs, rates):
        axes.grid(axis="y")
        axes.legend(loc="upper right" if axes is costs else "lower left")
    costs.set_title("Bold Driver: which costs are compared", loc="left", fontsize=14, fontweight="bold")
    return figure

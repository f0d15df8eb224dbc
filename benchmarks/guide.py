"""Draw the pictures of docs/guide.md: each trains a few small networks in this process and shows one claim.

    python benchmarks/guide.py data docs/guide
    python benchmarks/guide.py data docs/guide --only dropout

prints the numbers that the guide quotes; some ten minutes in all on one core.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from line_labels import label_ends
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from start_values import load

import nn
from nn.core import spec
from nn.data.augmentation import AUGMENTATIONS, augment
from nn.models import metrics
from nn.optim.schedules import SCHEDULES
from nn.plotting.style import (
    DARK,
    MIDDLE,
    PALE,
    QUIET,
    SECOND,
    bare,
    canvas,
    heading,
    house_style,
    legend_below,
    save,
)
from nn.training.records import Epoch

SEEDS = 3
COLORS = (DARK, MIDDLE, SECOND, QUIET, "#8c2d6b", "#c9a227")


def cost(line: Epoch) -> float:
    """The training rows' cost."""
    return line.cost


def val_accuracy(line: Epoch) -> float:
    """Share of the validation rows predicted rightly."""
    return float(line.val_accuracy or 0)


def val_error(line: Epoch) -> float:
    """Share of the validation rows predicted wrongly."""
    return 1 - float(line.val_accuracy or 0)


@dataclass(frozen=True)
class Claim:
    """A picture of one curve a run: what the runs share, and what tells each from the others."""

    title: str
    subtitle: str
    shows: Callable[[Epoch], float]
    shared: dict[str, Any]
    runs: dict[str, dict[str, Any]]
    rows: int = 60_000  # the first of the training rows
    scales: dict[str, str] = field(default_factory=dict)  # xscale, yscale

    def draw(self, data: Any) -> Figure:
        """Train every run with each seed; print the medians of what it reached, draw its curves."""
        curves = {}
        for name, options in self.runs.items():
            shown, accuracies = [], []
            for seed in range(SEEDS):
                chosen = {**self.shared, **options, "seed": seed}
                fit = nn.fit(data.images[: self.rows], data.labels[: self.rows], **chosen)
                shown.append([self.shows(line) for line in fit.history])
                accuracies.append(np.mean(fit.classifier.predict(data.test_images) == data.test_labels))
            curves[name] = np.array(shown)
            first, last = np.median(curves[name], axis=0)[[0, -1]]
            test = f"{np.median(accuracies):.4f} ({min(accuracies):.4f} to {max(accuracies):.4f})"
            print(f"  {name}: {first:.4f} -> {last:.4f}, test accuracy {test}", flush=True)
        return lines(self.title, f"{self.subtitle}; {SEEDS} seeds: median and range", curves, **self.scales)


MLP = {"hidden": [128], "activation": "relu", "loss": "cross-entropy", "schedule": "constant"}
ADAM = {"loss": "cross-entropy", "optimizer": "adam"}
CNN = "conv2d:8x5,relu,maxpool2d:2,conv2d:16x5,relu,maxpool2d:2,flatten,dense:64,relu"
CHANGES = "shift:2,rotate:10,scale:0.1"

CLAIMS = {
    "batches": Claim(
        "Many small steps beat one large step",
        "share of validation rows wrong, 64 relu units, momentum at the rate 0.1",
        val_error,
        {**MLP, "hidden": [64], "optimizer": "momentum", "epochs": 20, "validation_fraction": 0.1},
        {
            "one step per epoch": {"sample": 1},
            "batches of 10,000": {"batch_size": 10_000},
            "batches of 1,000": {"batch_size": 1_000},
            "batches of 100": {"batch_size": 100},
        },
        scales={"yscale": "log"},
    ),
    "optimizers": Claim(
        "Rules at their usual rates",
        "share of validation rows wrong, 18,000 rows in batches of 100, 128 relu units",
        val_error,
        {**MLP, "epochs": 8, "batch_size": 100, "validation_fraction": 0.1},
        {name: {"optimizer": name} for name in ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")},
        rows=20_000,
        scales={"yscale": "log"},
    ),
    "one_cycle": Claim(
        "A rate that falls to nothing ends lower",
        "share of validation rows wrong, adam, batches of 200, 128 relu units",
        val_error,
        {
            **ADAM,
            "hidden": [128],
            "activation": "relu",
            "epochs": 10,
            "batch_size": 200,
            "validation_fraction": 0.1,
        },
        {
            "constant 0.001": {"learning_rate": 0.001},
            "constant 0.005": {"learning_rate": 0.005},
            "one-cycle, peak 0.005": {"learning_rate": 0.005, "schedule": "one-cycle"},
        },
    ),
    "dropout": Claim(
        "Dropout keeps the validation cost from rising",
        "validation cost, 400 relu units, 8,000 training rows",
        lambda line: float(line.val_cost or 0),
        {**ADAM, "epochs": 30, "batch_size": 100, "validation_fraction": 0.2},
        {
            "without": {"layers": "dense:400,relu"},
            "dropout 0.5": {"layers": "dense:400,relu,dropout:0.5"},
            "dropout 0.2 on the input too": {"layers": "dropout:0.2,dense:400,relu,dropout:0.5"},
        },
        rows=10_000,
    ),
    "convolutions": Claim(
        "Convolutions, and changed images, stand in for more images",
        "share of validation rows wrong, 4,000 training rows",
        val_error,
        {
            **{**ADAM, "schedule": "one-cycle", "learning_rate": 0.005},
            **{"batch_size": 50, "epochs": 15, "validation_fraction": 0.2},
        },
        {
            "dense, 400 relu units": {"layers": "dense:400,relu"},
            "two convolutions": {"layers": CNN},
            f"two convolutions, {CHANGES}": {"layers": CNN, "augment": CHANGES},
        },
        rows=5_000,
        scales={"yscale": "log"},
    ),
    "lbfgs": Claim(
        "Curvature makes the most of a pass",
        "cost, one pass over all rows a step, 64 tanh units, l2 0.0001",
        cost,
        {"hidden": [64], "activation": "tanh", "loss": "cross-entropy", "l2": 1e-4, "epochs": 60},
        {"momentum, Bold Driver": {"sample": 1}, "L-BFGS": {"optimizer": "l-bfgs"}},
        scales={"yscale": "log"},
    ),
    "depth": Claim(
        "Deep stacks want relu, or a way around",
        "cost, 20 hidden layers of 32 units, 20,000 rows in batches of 100",
        cost,
        {**ADAM, "epochs": 8, "batch_size": 100},
        {
            "sigmoid": {"layers": ",".join(["dense:32,sigmoid"] * 20)},
            "relu": {"layers": ",".join(["dense:32,relu"] * 20)},
            "residual blocks": {
                "layers": "dense:32," + ",".join(["residual(layernorm,dense:32,relu,dense:32)"] * 10)
            },
        },
        rows=20_000,
    ),
}


def schedules(data: Any) -> Figure:
    """Factors over a run of 20 epochs."""
    times = np.linspace(0, 20, 401)
    curves = {}
    for words in (
        "constant",
        "step:7:drop=0.3",
        "exponential:0.85",
        "inverse-time:0.3",
        "cosine",
        "one-cycle",
    ):
        schedule = spec.parse(words, SCHEDULES, "schedule")
        curves[words] = [schedule.factor(time, 20) for time in times]
    return lines("What multiplies the learning rate", "over a run of 20 epochs", curves, epochs=times)


def early_stopping(data: Any) -> Figure:
    """Where patience stops an overfitting run."""
    common: dict[str, Any] = {
        **ADAM,
        "layers": "dense:400,relu",
        "batch_size": 100,
        "validation_fraction": 0.2,
    }
    images, labels = data.images[:10_000], data.labels[:10_000]
    whole = nn.fit(images, labels, epochs=40, **common).history
    stopped = len(nn.fit(images, labels, epochs=40, patience=5, **common).history)
    best = min(whole, key=lambda line: float(line.val_cost or 0))
    print(
        f"  stopped after {stopped}, best {best.epoch}: {best.val_cost:.4f}, last: {whole[-1].val_cost:.4f}"
    )
    curves = {
        "training": [line.cost for line in whole],
        "validation": [float(line.val_cost or 0) for line in whole],
    }
    title = f"Patience 5 stops after epoch {stopped} and keeps epoch {best.epoch}"
    figure = lines(title, "cost, 400 relu units, 8,000 training rows, adam", curves)
    figure.axes[0].axvline(stopped, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    figure.axes[0].plot([best.epoch], [float(best.val_cost or 0)], "o", color="black", markersize=6)
    return figure


def augmentation(data: Any) -> Figure:
    """The same digits through each kind of change."""
    rows = [int(np.flatnonzero(data.labels == digit)[0]) for digit in range(10)]
    images = data.images[rows].reshape(-1, 28, 28, 1).astype(np.float32) / 255
    kinds = ("", "shift:2", "rotate:10", "scale:0.1", "elastic:5", "flip", CHANGES)
    figure, first = canvas(10.0, 6.8)
    bare(first)
    heading(first, "What augmentation does to images", "a row of pictures for each value of --augment")
    height = 0.96 / len(kinds)
    for number, words in enumerate(kinds):
        changed, top = images, 0.97 - height * number
        if words:
            steps = spec.parse_list(words, AUGMENTATIONS, "augmentation")
            changed = augment(steps, images, np.arange(10), 0, 1)
        axes = first.inset_axes((0.2, top - height, 0.8, height * 0.92))
        axes.imshow(np.concatenate(list(changed[..., 0]), axis=1), cmap="gray_r", aspect="auto")
        bare(axes)
        name = words.replace(",", ",\n") or "as they are"
        first.text(0.18, top - height / 2, name, ha="right", va="center", fontsize=9.5)
    return figure


def weights(data: Any) -> Figure:
    """Recall of rare classes with and without balanced weights."""
    rare = np.isin(data.labels, (3, 8))
    keep = ~rare | (np.cumsum(rare) % 40 == 0)  # one in forty of the threes and eights
    figure, axes = canvas()
    for number, choice in enumerate((None, "balanced")):
        options: dict[str, Any] = {
            **ADAM,
            "hidden": [128],
            "activation": "relu",
            "batch_size": 200,
            "epochs": 5,
        }
        fit = nn.fit(data.images[keep], data.labels[keep], class_weights=choice, **options)
        matrix = metrics.confusion(data.test_labels, fit.classifier.predict(data.test_images), 10)
        recall = [each.recall for each in metrics.per_class(matrix)]
        name = choice or "every row counts alike"
        print(
            f"  {name}: recall of 3 {recall[3]:.4f}, of 8 {recall[8]:.4f}, accuracy {metrics.accuracy(matrix):.4f}"
        )
        axes.bar(
            np.arange(10) + 0.4 * number - 0.2, recall, width=0.38, color=(PALE, DARK)[number], label=name
        )
    axes.set_xticks(range(10))
    axes.set(ylim=(0.5, 1), xlabel="class")
    heading(
        axes,
        "Balanced weights find the rare classes",
        "test recall; a fortieth of the threes and eights to learn from",
    )
    legend_below(figure, axes)
    return figure


PICTURES: dict[str, Callable[[Any], Figure]] = {
    **{name: claim.draw for name, claim in CLAIMS.items()},
    **{function.__name__: function for function in (schedules, early_stopping, augmentation, weights)},
}


def lines(title: str, subtitle: str, curves: dict[str, Any], epochs: Any = None, **scales: str) -> Figure:
    """A line a curve over the epochs; of an array (seeds, epochs) the median, in the band of all."""
    figure, axes = canvas()
    ends = {}
    for color, (name, values) in zip(COLORS, curves.items(), strict=False):
        each = np.atleast_2d(values)
        x = np.arange(1, each.shape[1] + 1) if epochs is None else epochs
        middle = np.median(each, axis=0)
        axes.plot(x, middle, color=color, linewidth=2)
        axes.fill_between(x, each.min(axis=0), each.max(axis=0), color=color, alpha=0.2, linewidth=0)
        ends[name] = (x[-1], middle[-1], color)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(xlabel="epoch: a pass over the training rows", **scales)
    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
    axes.grid(True)
    heading(axes, title, subtitle)
    figure.draw_without_rendering()  # so that limits and layout are final
    label_ends(axes, ends)
    return figure


class Data:
    """MNIST, or whatever lies there in its place: images (n, 784) uint8, labels (n,)."""

    def __init__(self, folder: str):
        self.images, self.labels = load(folder, "train")
        self.test_images, self.test_labels = load(folder, "test")


def main() -> None:
    """Draw all pictures, or one."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/guide.md.")
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument("folder", help="where the pictures go")
    parser.add_argument("--only", choices=tuple(PICTURES), help="one picture")
    args = parser.parse_args()
    data, folder = Data(args.data), Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with house_style():
        for name, draw in PICTURES.items():
            if args.only in (None, name):
                print(name, flush=True)
                save(draw(data), folder / f"{name}.png")


if __name__ == "__main__":
    main()

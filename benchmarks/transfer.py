"""Measure transfer learning for docs/guide.md: features of digits 0 to 4, and 100 to 500 images of digits 5 to 9.

    python benchmarks/transfer.py data [--write]

needs `python generate_data.py` before, and takes some minutes on one core. A network learns digits 0 to 4 from all of
their images, augmented. Its layers then learn digits 5 to 9 in several ways, beside the same network from scratch.
Each is measured with and without augmentation of the images of 5 to 9. The learning rate is chosen on VALIDATION images
of 5 to 9, with 500 images to learn from and other seeds; the test images are scored once, with the five seeds of the
table. The second table is the time of a step with frozen layers; --only-steps measures it alone. --write puts tables
and the picture into docs/guide.md.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import itertools
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from start_values import load

import nn
from nn.data.batches import RowSelection
from nn.data.local_rdd import local_rdd
from nn.datasets.selection import keep_classes
from nn.plotting.style import DARK, MIDDLE, QUIET, canvas, heading, house_style, legend_below, save
from nn.training.backend import Facts, Job
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun

ROOT = Path(__file__).resolve().parents[1]
LOW, HIGH = (0, 1, 2, 3, 4), (5, 6, 7, 8, 9)
LAYERS = "conv2d:8x5,relu,maxpool2d:2,conv2d:16x5,relu,maxpool2d:2,flatten,dense:64,relu"
SHARED: dict[str, Any] = {
    "layers": LAYERS,
    "loss": "cross-entropy",
    "optimizer": "adam",
    "schedule": "one-cycle",
    "batch_size": 50,
}
CHANGES = "shift:2,rotate:10,scale:0.1"
STARTS: dict[str, dict[str, Any]] = {
    "from scratch": {},
    "all layers start from the model's": {"keep_layers": 9},
    "convolutions frozen": {"keep_layers": 6, "freeze": 6},
}
WAYS = {
    **STARTS,
    **{f"{name}, augmented": {**options, "augment": CHANGES} for name, options in STARTS.items()},
}
GRID: dict[str, tuple[Any, ...]] = {"learning_rate": (0.003, 0.01), "epochs": (40,)}
ROWS, VALIDATION, FEW = 500, 1000, (500, 200, 100)
SEEDS, CHOOSING = range(5), (100, 101)
FROZEN, STEP_ROWS, STEPS = (0, 3, 6, 9), 200, 40
COLORS = (QUIET, MIDDLE, DARK)


class Digits(NamedTuple):
    """Images (n, 784) uint8 of some digits, and their numbers from 0."""

    images: np.ndarray
    labels: np.ndarray

    def take(self, rows: Any) -> Digits:
        """Return some of the rows."""
        return Digits(self.images[rows], self.labels[rows])


class Sets(NamedTuple):
    """The rows of one seed: those to learn from come first, so that fewer rows are the first of more."""

    train: Digits
    validation: Digits
    model: Any  # of digits 0 to 4


def main() -> None:
    """Measure and print; write the tables and the picture where it is asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", help="folder with the CSV files of generate_data.py")
    parser.add_argument(
        "--write", action="store_true", help="write docs/guide.md and docs/guide/transfer.png"
    )
    parser.add_argument(
        "--only-steps", action="store_true", help="only the time of a step with frozen layers"
    )
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*no better than a constant")
    test = of_digits(args.data, "test", HIGH)
    if args.only_steps:
        show({"frozen": cost_table(test)}, args.write)
        return
    low, high = of_digits(args.data, "train", LOW), of_digits(args.data, "train", HIGH)
    model = model_of(low)
    sets = {seed: sets_of(high, model, seed) for seed in (*SEEDS, *CHOOSING)}
    chosen = {way: choose(way, [sets[seed] for seed in CHOOSING]) for way in WAYS}
    found: dict[tuple[str, int], list[float]] = {}
    for rows, way in itertools.product(FEW, WAYS):
        found[way, rows] = [accuracy(fit(way, sets[seed], rows, seed, chosen[way]), test) for seed in SEEDS]
        print(f"{way}, {rows} images: {found[way, rows]}", flush=True)
    show({"transfer": scores_table(found, chosen), "frozen": cost_table(test)}, args.write)
    if args.write:
        with house_style():
            save(picture(found), ROOT / "docs" / "guide" / "transfer.png")


def show(tables: dict[str, str], into_guide: bool) -> None:
    """Print tables, and write them into docs/guide.md where it is asked."""
    for name, table in tables.items():
        print(f"{name}\n{table}\n")
        if into_guide:
            write(name, table)


def of_digits(folder: str, part: str, digits: tuple[int, ...]) -> Digits:
    """Return the images of some digits."""
    images, labels = load(folder, part)
    return Digits(*keep_classes(images, labels, digits, part))


def model_of(low: Digits) -> Any:
    """Train the model of digits 0 to 4 that the others start from."""
    began = time.perf_counter()
    recipe: dict[str, Any] = {
        **SHARED,
        "batch_size": 100,
        "epochs": 4,
        "learning_rate": 0.005,
        "augment": CHANGES,
    }
    model = nn.fit(low.images, low.labels, **recipe).classifier
    print(f"digits 0 to 4 in {time.perf_counter() - began:.0f} s", flush=True)
    return model


def sets_of(high: Digits, model: Any, seed: int) -> Sets:
    """Draw the rows of a seed."""
    order = np.random.default_rng(seed).permutation(len(high.labels))
    validation, train = order[:VALIDATION], order[VALIDATION : VALIDATION + max(FEW)]
    return Sets(high.take(train), high.take(validation), model)


def fit(way: str, sets: Sets, rows: int, seed: int, options: dict[str, Any]) -> Any:
    """Return the classifier of digits 5 to 9."""
    start: dict[str, Any] = {"start_from": sets.model} if "keep_layers" in WAYS[way] else {}
    part = sets.train.take(slice(0, rows))
    return nn.fit(part.images, part.labels, **SHARED, **WAYS[way], **options, **start, seed=seed).classifier


def accuracy(classifier: Any, rows: Digits) -> float:
    """Return the share of rows that are predicted correctly."""
    return float(np.mean(classifier.predict(rows.images) == rows.labels))


def choose(way: str, choosing: list[Sets]) -> dict[str, Any]:
    """Return the options with the highest mean accuracy on validation rows; of equal ones the first."""
    scores = {}
    for values in itertools.product(*GRID.values()):
        options = dict(zip(GRID, values, strict=True))
        fits = [
            (fit(way, sets, ROWS, seed, options), sets) for seed, sets in zip(CHOOSING, choosing, strict=True)
        ]
        scores[values] = statistics.mean(accuracy(classifier, sets.validation) for classifier, sets in fits)
    best = max(scores, key=lambda values: scores[values])
    print(f"{way}: {best} has {scores[best]:.4f} of the validation rows", flush=True)
    return dict(zip(GRID, best, strict=True))


# ---- tables and picture ----


def scores_table(found: dict[tuple[str, int], list[float]], chosen: dict[str, dict[str, Any]]) -> str:
    """Return the test accuracies with 500 images, and with fewer and more."""
    lines = [
        "| way | rate | 500 images, median of five seeds | lowest..highest | "
        + " | ".join(f"{rows:,} images" for rows in FEW if rows != ROWS)
        + " |",
        "|---|---|---|---|" + "---|" * (len(FEW) - 1),
    ]
    for way, options in chosen.items():
        words = f"{options['learning_rate']:g}"
        scores = found[way, ROWS]
        others = " | ".join(f"{statistics.median(found[way, rows]):.4f}" for rows in FEW if rows != ROWS)
        spread = f"{min(scores):.4f}..{max(scores):.4f}"
        lines.append(f"| {way} | {words} | {statistics.median(scores):.4f} | {spread} | {others} |")
    return "\n".join(lines)


def cost_table(rows: Digits) -> str:
    """Return the time of a step on 200 images with frozen layers: the shortest of several."""
    part = rows.take(slice(0, STEP_ROWS))
    backend = LocalBackend(local_rdd(part.images, part.labels))
    jobs = {}
    for frozen in FROZEN:
        recipe = Recipe.of(**SHARED, **({"freeze": frozen} if frozen else {}))
        run = TrainingRun.of(recipe, Facts(784, part.labels, 5, 255.0, are_pixels=True))
        request = run.optimizer.ask(run.start().state)
        jobs[frozen] = Job(run.objective, request, RowSelection())
    forward = jobs[0]._replace(selection=RowSelection(fraction=0.0))
    seconds: dict[Any, list[float]] = {name: [] for name in (*jobs, "forward")}
    for _ in range(STEPS):  # in turns, so that another program on the machine slows all of them alike
        for name, job in (*jobs.items(), ("forward", forward)):
            began = time.perf_counter()
            backend.run([job])
            seconds[name].append(time.perf_counter() - began)
    best = {name: 1000 * min(each) for name, each in seconds.items()}
    lines = [
        "| frozen layers | parameters that learn | ms per step | of the whole step |",
        "|---|---|---|---|",
    ]
    for frozen in FROZEN:
        count = sum(array.size for layer in jobs[frozen].params for array in layer.values())
        share = best[frozen] / best[0]
        lines.append(f"| {frozen or 'none'} | {count:,} | {best[frozen]:.1f} | {share:.0%} |")
    lines.append(f"| the forward pass alone | | {best['forward']:.1f} | {best['forward'] / best[0]:.0%} |")
    return "\n".join(lines)


def picture(found: dict[tuple[str, int], list[float]]) -> Figure:
    """Draw the share of test images that are wrong by the number of images to learn from."""
    figure, axes = canvas()
    for number, way in enumerate(WAYS):
        color, style = COLORS[number % len(STARTS)], "--" if "augment" in WAYS[way] else "-"
        errors = [[1 - score for score in found[way, rows]] for rows in FEW]
        medians = [statistics.median(each) for each in errors]
        axes.plot(FEW, medians, color=color, label=way, linewidth=2, linestyle=style, marker="o")
        axes.fill_between(
            FEW, [min(each) for each in errors], [max(each) for each in errors], color=color, alpha=0.15
        )
    axes.set(xlabel="images of digits 5 to 9 to learn from", xscale="log", yscale="log")
    axes.set_xticks(FEW)
    for axis, words in ((axes.xaxis, "{:,.0f}"), (axes.yaxis, "{:.3g}")):
        axis.set_major_formatter(FuncFormatter(lambda value, _, words=words: words.format(value)))
        axis.set_minor_formatter(NullFormatter())
    axes.set_yticks((0.01, 0.02, 0.05, 0.1, 0.2))
    axes.grid(True)
    subtitle = "share of test images wrong: median, lowest and highest of five seeds"
    heading(axes, "Features of digits 0 to 4 find digits 5 to 9 with fewer images", subtitle)
    legend_below(figure, axes)
    return figure


def write(name: str, table: str) -> None:
    """Replace the table of that name in docs/guide.md."""
    path = ROOT / "docs" / "guide.md"
    before, start, rest = path.read_text().partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->\n")
    if not (start and end):
        raise SystemExit(f"expected the marks of {name} in {path}, found none")
    path.write_text(f"{before}{start}{table}\n{end}{after}")


if __name__ == "__main__":
    main()

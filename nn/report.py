"""What a run says of itself: the lines above and below the table, and summary.json."""

from __future__ import annotations

import json
import platform
import shlex
import time
from typing import Any

import numpy as np

from nn import __version__, results, tree
from nn.evaluation import Score
from nn.model import Params, Sequential
from nn.options import Options
from nn.records import Epoch
from nn.spark.reading import Dataset
from nn.spark.storage import Storage


class Clock:
    """Seconds by phase."""

    def __init__(self):
        self.began = self._last = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, phase: str) -> float:
        """End a phase and give its seconds."""
        now = time.perf_counter()
        self.seconds[phase] = now - self._last
        self._last = now
        return self.seconds[phase]

    @property
    def total(self) -> float:
        """Seconds since the first phase began."""
        return time.perf_counter() - self.began


def describe_data(storage: Storage, asked: Options, rows: int) -> dict[str, Any]:
    """The name and class names in a dataset.json beside the training images; without one, the file's name."""
    folder, slash, name = asked.train_images.rpartition("/")
    unnamed = {"name": name or asked.train_images, "class_names": None}
    try:
        about = json.loads(storage.read(f"{folder}{slash}dataset.json") or b"null")
    except (ValueError, RecursionError):
        return unnamed
    # A page left over from other files in the same folder would lie: it must count the same rows.
    if (
        not isinstance(about, dict)
        or not isinstance(about.get("name"), str)
        or about.get("train_rows") != rows
    ):
        return unnamed
    classes = about.get("classes")
    named = isinstance(classes, list) and all(isinstance(each, str) for each in classes)
    return {"name": about["name"], "class_names": classes if named else None}


def where(context) -> str:
    """Which Spark runs the job."""
    return f"spark     {context.version} at {context.master}"


def data_lines(train: Dataset, test: Dataset, name: str, seconds: float) -> str:
    """What was read."""
    pieces = f"{train.partitions} partition{'s' if train.partitions > 1 else ''}"
    lines = [
        f"data      {name}: {train.rows:,} training and {test.rows:,} test rows of {train.width} values, "
        f"{train.classes} classes; read in {seconds:.1f} s into {pieces}"
    ]
    return "\n".join(lines + [f"note      {note}" for note in (*train.notes, *test.notes)])


def plan_lines(asked: Options, model: Sequential, params: Params) -> str:
    """The network and how it is trained."""
    shape = " -> ".join(["x".join(map(str, model.input_shape)), *_stages(model)])
    steps = (
        f"one step an epoch on a random {asked.sample:.0%} of the rows"
        if asked.batch_size is None
        else f"batches of {asked.batch_size:,} rows"
    )
    rule = asked.optimizer if asked.momentum is None else f"{asked.optimizer} {asked.momentum:g}"
    return (
        f"network   {shape}, {asked.loss}, {tree.count(params):,} parameters\n"
        f"training  {asked.epochs} epochs, {steps}; {rule}, {asked.schedule} at rate {asked.learning_rate:g}, "
        f"seed {asked.seed}\n"
    )


def closing(asked: Options, score: Score, clock: Clock, is_local: bool) -> str:
    """What came out and where it lies."""
    about = results.score_summary(score)
    macro = about["macro"]
    return (
        f"\ntest      accuracy {score.accuracy:.2%}: {about['errors']:,} of {score.rows:,} rows wrong; "
        f"macro precision {macro['precision']:.4f}, recall {macro['recall']:.4f}, F1 {macro['f1']:.4f}\n"
        f"written   {asked.output} in {clock.total:.1f} s; draw it with: "
        f"python generate_plots.py {shlex.quote(asked.output) if is_local else 'A_LOCAL_COPY_OF_IT'}"
    )


def summary(
    asked: Options,
    context,
    train: Dataset,
    test: Dataset,
    about: dict[str, Any],
    model: Sequential,
    history: tuple[Epoch, ...],
    score: Score,
    clock: Clock,
) -> dict[str, Any]:
    """All of a run as plain JSON values."""
    standing = [line for line in history if line.accepted]
    return {
        "configuration": {**asked.as_json(), "partitions": train.partitions},
        "versions": {
            "nn": __version__,
            "spark": context.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "java": context._jvm.System.getProperty("java.version"),
        },
        "master": context.master,
        "data": {
            **about,
            "width": train.width,
            "classes": train.classes,
            "scale": model.scale,
            "train": {"rows": train.rows, "class_rows": train.class_rows.tolist()},
            "test": {"rows": test.rows, "class_rows": test.class_rows.tolist()},
        },
        "model": model.config(),
        "train": {
            "epochs": len(history),
            # None where Bold Driver undid every epoch and the model is still its start values.
            "cost": standing[-1].cost if standing else None,
            "accuracy": standing[-1].accuracy if standing else None,
        },
        "test": results.score_summary(score),
        "seconds": {**clock.seconds, "total": clock.total},
    }


def _stages(model: Sequential) -> list[str]:
    """Each dense layer with the activation after it, in a word."""
    stages: list[str] = []
    for layer in model.layers:
        if layer.name == "dense":
            stages.append(str(layer.config()["units"]))
        else:
            stages[-1] += f" {layer.name}"
    return stages

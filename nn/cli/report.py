"""What a run says of itself: the lines above and below the table, and summary.json."""

from __future__ import annotations

import json
import platform
import shlex
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nn import __version__
from nn.cli.options import Options
from nn.core import fingerprint, format, spec
from nn.core.options import LARGEST_FILE
from nn.data import label_skew
from nn.data.class_weights import ClassWeightsReader
from nn.data.split import Split
from nn.io import results
from nn.models.sequential import Sequential
from nn.spark.input.reader import Dataset
from nn.spark.runtime.cluster import Executor
from nn.spark.storage.filesystem import Folder, Storage
from nn.training.evaluation import Score
from nn.training.loop import Optimizer, Plan, jobs_an_epoch
from nn.training.recipe import Recipe
from nn.training.records import Progress
from nn.training.timing import Phases

LONGEST_NAME = 80  # characters
MANY_JOBS = 100  # in an epoch


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
        about = json.loads(storage.read(f"{folder}{slash}dataset.json", LARGEST_FILE) or b"null")
    except Exception:  # of any kind: it is but a name
        return unnamed
    # A page left over from other files in the same folder would lie: it must count the same rows.
    if not isinstance(about, dict) or not _is_name(about.get("name")) or about.get("train_rows") != rows:
        return unnamed
    classes = about.get("classes")
    named = isinstance(classes, list) and all(map(_is_name, classes))
    return {"name": about["name"], "class_names": classes if named else None}


def _is_name(value: Any) -> bool:
    """Whether a value can stand in a line."""
    return isinstance(value, str) and value.isprintable() and len(value) <= LONGEST_NAME


def where(context, executors: Sequence[Executor], asked: Options, output: Folder) -> str:
    """Which Spark runs the job, on how many executors, and what its configuration file says of itself."""
    about = f"\nrecipe    {asked.about}" if asked.about else ""
    slots = sum(each.slots for each in executors)
    room = f"{slots} task{'' if slots == 1 else 's'} at once"
    if len(executors) > 1:
        room = f"{len(executors)} executors, {room}"
    note = f"\n{format.note(FAR_FROM_HOME)}" if output.is_local and _chose_driver_s_place(context) else ""
    return f"spark     {context.version} at {context.master}: {room}{about}{note}"


def _chose_driver_s_place(context) -> bool:
    conf = context.getConf()
    # In a pod of Kubernetes it calls its mode "client".
    in_a_pod = conf.get("spark.kubernetes.submitInDriver", "false") == "true"
    return in_a_pod or conf.get("spark.submit.deployMode", "client") == "cluster"


FAR_FROM_HOME = (
    "OUTPUT lies on the disk of the machine or container that the cluster chose for the driver; on storage that all "
    "machines share it would outlast the driver, and --resume would find it"
)


def data_lines(train: Dataset, test: Dataset, recipe: Recipe, split: Split, name: str, seconds: float) -> str:
    """What was read, and what the user should know of it."""
    pieces = f"{train.partitions} partition{'s' if train.partitions > 1 else ''}"
    held = f" ({split.validation_rows:,} held out for validation)" if split.validation_rows else ""
    lines = [
        f"data      {name}: {train.rows:,} training{held} and {test.rows:,} test rows of {train.width} values, "
        f"{train.classes} classes; read in {seconds:.1f} s into {pieces}"
    ]
    notes = [*train.notes, *test.notes]
    sorted_rows = label_skew.warning(train.stretches) if recipe.averages_parameters else None
    if sorted_rows:
        notes.append(sorted_rows)
    return "\n".join([*lines, *map(format.note, notes)])


def many_jobs(plan: Plan, optimizer: Optimizer) -> bool:
    """Return whether an epoch of mini-batches is so many Spark jobs that another way should be told."""
    return plan.rounds is None and jobs_an_epoch(plan, optimizer) > MANY_JOBS


def many_jobs_note(plan: Plan, optimizer: Optimizer, seconds: float | None = None) -> str:
    """Return the note on mini-batches that are a job each, of so many `seconds` where they were measured."""
    jobs = jobs_an_epoch(plan, optimizer)
    cost = ""
    if seconds is not None:
        epoch, run = (format.clock(count * jobs * seconds) for count in (1, plan.epochs))
        cost = f" of about {1000 * seconds:.0f} ms, {epoch} per epoch and {run} in all"
    return (
        f"an epoch is {jobs:,} Spark jobs{cost}, one for each mini-batch; with --average parameters each partition "
        "takes its mini-batches without a job for each"
    )


def note_lines(notes: Iterable[str]) -> str:
    """Return notes as lines of the console."""
    return "".join(f"{format.note(note)}\n" for note in notes)


def plan_lines(recipe: Recipe, model: Sequential, notes: Iterable[str] = ()) -> str:
    """Return the network, how it is trained, and notes on that."""
    said = recipe.resolved()
    first, *rest = model.summary().splitlines()
    network = "\n".join([f"network   {first}", *(f"          {line}" for line in rest)])
    if said.batch_size is not None:
        steps = f"batches of {said.batch_size:,} rows"
        if said.averages_parameters:
            steps = f"replicas in {steps}, averaged {_times(said.rounds_per_epoch)} an epoch"
            if said.outer_momentum or said.outer_learning_rate != 1:
                steps += f" with outer rate {said.outer_learning_rate:g} and momentum {said.outer_momentum:g}"
    elif said.sample == 1:
        steps = "one step an epoch on all rows"
    else:
        steps = f"one step an epoch on a random {100 * (said.sample or 1):.3g} % of the rows"
    parts = [spec.to_text(said.loss), spec.to_text(said.optimizer)]
    if said.schedule is not None:
        parts.append(f"{spec.to_text(said.schedule)} at rate {said.learning_rate:g}")
    parts += [
        f"{name} {getattr(said, name):g}" for name in ("warmup", "l1", "l2", "clip") if getattr(said, name)
    ]
    if said.class_weights is not None:
        parts.append(f"class weights {ClassWeightsReader().plain(said.class_weights)}")
    if said.initializer is not None:
        parts.append(f"start values {said.initializer}")
    if said.patience is not None:
        parts.append(f"patience {said.patience}")
    if said.augment:
        parts.append(f"augmented by {','.join(map(spec.to_text, said.augment))}")
    epochs = f"{said.epochs} epoch{'s' if said.epochs > 1 else ''}"
    training = f"training  {epochs}, {steps}; {', '.join(parts)}; seed {said.seed}"
    return f"{network}\n{training}\n{note_lines(notes)}"


def _times(count: int | None) -> str:
    return "once" if count == 1 else f"{count} times"


def closing(
    asked: Options,
    plan: Plan,
    progress: Progress,
    score: Score,
    notes: Sequence[str],
    clock: Clock,
    is_local: bool,
    at_once: int,
) -> str:
    """What came out, `notes` on it, where the time went and where the results lie; `at_once` tasks ran side by side."""
    about = results.score_summary(score)
    macro = about["macro"]
    return (
        f"\n{_ending(plan, progress)}"
        f"test      accuracy {score.accuracy:.2%}: {about['errors']:,} of {score.rows:,} rows wrong; "
        f"macro precision {macro['precision']:.4f}, recall {macro['recall']:.4f}, F1 {macro['f1']:.4f}\n"
        f"{note_lines(notes)}"
        f"time      {Phases.of(progress.history).verdict(at_once)}\n"
        f"written   {asked.output} in {clock.total:.1f} s; draw it with: "
        f"python generate_plots.py {shlex.quote(asked.output) if is_local else 'A_LOCAL_COPY_OF_IT'}"
    )


def _ending(plan: Plan, progress: Progress) -> str:
    """Why training ended early, and whose weights are kept, where there is something to say."""
    epochs, lines = len(progress.history), ""
    if epochs < plan.epochs:
        reason = (
            progress.state.get("finished")
            or "the validation cost has not fallen for as long as patience says"
        )
        lines = f"stopped   after epoch {epochs} of {plan.epochs}: {reason}\n"
    if progress.best is not None:
        best = progress.best
        lines += f"kept      the weights of epoch {best.epoch}, whose validation cost {best.cost:.6f} is the lowest\n"
    return lines


def summary(
    asked: Options,
    context,
    train: Dataset,
    test: Dataset,
    split: Split,
    about: dict[str, Any],
    model: Sequential,
    resumed_after: int,
    progress: Progress,
    score: Score,
    clock: Clock,
) -> dict[str, Any]:
    """All of a run as plain JSON values."""
    history, best = progress.history, progress.best
    standing = [line for line in history if line.accepted]
    kept = history[best.epoch - 1] if best else (standing[-1] if standing else None)
    return {
        "configuration": {**asked.resolved(), "output": asked.output},
        "versions": {
            "nn": __version__,
            "spark": context.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "arithmetic": fingerprint.fingerprint(),
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
            "resumed_after": resumed_after,  # epochs that an earlier run had made, whose time `seconds` leaves out
            "rows": split.train_rows,
            "validation_rows": split.validation_rows,
            "best_epoch": best.epoch if best else None,
            # Of the last point that was measured and stood, or the best where it is kept; None where Bold Driver undid
            # every epoch and the model is still its start values.
            "cost": kept.cost if kept else None,
            "accuracy": kept.accuracy if kept else None,
            "val_cost": kept.val_cost if kept else None,
            "val_accuracy": kept.val_accuracy if kept else None,
        },
        "test": results.score_summary(score),
        "seconds": {
            **clock.seconds,
            "total": clock.total,
            "training_phases": Phases.of(history)._asdict(),
        },
    }

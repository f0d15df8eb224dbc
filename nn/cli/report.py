"""The lines that a run prints above and below the table of epochs, and its summary.json."""

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
from nn.spark.input.dataset import Dataset
from nn.spark.runtime import jvm
from nn.spark.runtime.cluster import Executor
from nn.spark.storage.filesystem import Folder, Storage
from nn.training.backend import Backend
from nn.training.evaluation import Score
from nn.training.plan import Plan
from nn.training.recipe import Recipe
from nn.training.records import Progress
from nn.training.run import TrainingRun
from nn.training.timing import Phases

LONGEST_NAME = 80  # characters
MANY_JOBS = 100  # in an epoch


class Clock:
    """A stopwatch: seconds by phase of a run."""

    def __init__(self):
        self.began = self._last = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def lap(self, phase: str) -> float:
        """End a phase and return its seconds."""
        now = time.perf_counter()
        self.seconds[phase] = now - self._last
        self._last = now
        return self.seconds[phase]

    @property
    def total(self) -> float:
        """Return the seconds since the first phase began."""
        return time.perf_counter() - self.began


def describe_data(storage: Storage, options: Options, rows: int) -> dict[str, Any]:
    """Return the name and class names in the dataset.json beside the training images, or else the file's name."""
    folder, slash, name = options.train_images.rpartition("/")
    unnamed = {"name": name or options.train_images, "class_names": None}
    try:
        about = json.loads(storage.read(f"{folder}{slash}dataset.json", LARGEST_FILE) or b"null")
    except Exception:  # whatever it is: a run does not end for want of a name
        return unnamed
    # It may describe other files that were in the folder before: the number of rows must agree.
    if not isinstance(about, dict) or not _is_name(about.get("name")) or about.get("train_rows") != rows:
        return unnamed
    classes = about.get("classes")
    has_names = isinstance(classes, list) and all(map(_is_name, classes))
    return {"name": about["name"], "class_names": classes if has_names else None}


def _is_name(value: Any) -> bool:
    """Return whether a value is a text that fits in a line."""
    return isinstance(value, str) and value.isprintable() and len(value) <= LONGEST_NAME


def spark_line(context, executors: Sequence[Executor], options: Options, output: Folder) -> str:
    """Return the line on Spark and its executors, that of the configuration file, and a note on OUTPUT if needed."""
    about = f"\nrecipe    {options.about}" if options.about else ""
    slots = sum(executor.slots for executor in executors)
    capacity = f"{slots} task{'' if slots == 1 else 's'} at once"
    if len(executors) > 1:
        capacity = f"{len(executors)} executors, {capacity}"
    note = f"\n{format.note(ON_CLUSTER_DISK)}" if output.is_local and _is_driver_on_cluster(context) else ""
    return f"spark     {context.version} at {context.master}: {capacity}{about}{note}"


def _is_driver_on_cluster(context) -> bool:
    """Return whether the cluster chose the machine or container of the driver."""
    conf = context.getConf()
    # In a pod of Kubernetes the deploy mode is "client".
    in_a_pod = conf.get("spark.kubernetes.submitInDriver", "false") == "true"
    return in_a_pod or conf.get("spark.submit.deployMode", "client") == "cluster"


ON_CLUSTER_DISK = (
    "OUTPUT is on the disk of the machine or container that the cluster chose for the driver; on storage that all "
    "machines share it would outlast the driver, and --resume would find it"
)


def data_lines(train: Dataset, test: Dataset, recipe: Recipe, split: Split, name: str, seconds: float) -> str:
    """Return the line on the data that were read, and notes on them."""
    pieces = f"{train.partitions} partition{'s' if train.partitions > 1 else ''}"
    held_out = f" ({split.validation_rows:,} held out for validation)" if split.validation_rows else ""
    lines = [
        f"data      {name}: {train.rows:,} training{held_out} and {test.rows:,} test rows of {train.width} values, "
        f"{train.classes} classes; read in {seconds:.1f} s into {pieces}"
    ]
    notes = [*train.notes, *test.notes]
    warning = label_skew.warning(train.shuffle_windows) if recipe.averages_parameters else None
    if warning:
        notes.append(warning)
    return "\n".join([*lines, *map(format.note, notes)])


def many_jobs_notes(run: TrainingRun, backend: Backend | None = None) -> list[str]:
    """Return the note on an epoch of more than MANY_JOBS jobs, with their time where a backend can measure it."""
    jobs = run.jobs_per_epoch()
    if run.plan.rounds is not None or jobs <= MANY_JOBS:
        return []
    cost = ""
    if backend is not None:
        seconds = run.seconds_per_job(backend)
        epoch, total = (format.clock(count * jobs * seconds) for count in (1, run.plan.epochs))
        cost = f" of about {1000 * seconds:.0f} ms, {epoch} per epoch and {total} in all"
    return [
        f"an epoch is {jobs:,} Spark jobs{cost}, one per mini-batch; with --average parameters each partition "
        "goes through its mini-batches without a job for each"
    ]


def note_lines(notes: Iterable[str]) -> str:
    """Return notes as lines of the console."""
    return "".join(f"{format.note(note)}\n" for note in notes)


def plan_lines(recipe: Recipe, model: Sequential, notes: Iterable[str] = ()) -> str:
    """Return the network, how it is trained, and notes on that."""
    resolved = recipe.resolved()
    first, *rest = model.summary().splitlines()
    network = "\n".join([f"network   {first}", *(f"          {line}" for line in rest)])
    if resolved.batch_size is not None:
        steps = f"batches of {resolved.batch_size:,} rows"
        if resolved.averages_parameters:
            steps = f"replicas in {steps}, averaged {_times(resolved.rounds_per_epoch)} per epoch"
            if resolved.outer_momentum or resolved.outer_learning_rate != 1:
                steps += f" with outer rate {resolved.outer_learning_rate:g} and momentum {resolved.outer_momentum:g}"
    elif resolved.sample == 1:
        steps = "one step per epoch on all rows"
    else:
        steps = f"one step per epoch on a random {100 * (resolved.sample or 1):.3g} % of the rows"
    parts = [spec.to_text(resolved.loss), spec.to_text(resolved.optimizer)]
    if resolved.schedule is not None:
        parts.append(f"{spec.to_text(resolved.schedule)} at rate {resolved.learning_rate:g}")
    parts += [
        f"{name} {getattr(resolved, name):g}"
        for name in ("warmup", "l1", "l2", "clip")
        if getattr(resolved, name)
    ]
    if resolved.class_weights is not None:
        parts.append(f"class weights {ClassWeightsReader().plain(resolved.class_weights)}")
    if resolved.initializer is not None:
        parts.append(f"initial weights {resolved.initializer}")
    if resolved.patience is not None:
        parts.append(f"patience {resolved.patience}")
    if resolved.augment:
        parts.append(f"augmented by {','.join(map(spec.to_text, resolved.augment))}")
    epochs = f"{resolved.epochs} epoch{'s' if resolved.epochs > 1 else ''}"
    training = f"training  {epochs}, {steps}; {', '.join(parts)}; seed {resolved.seed}"
    return f"{network}\n{training}\n{note_lines(notes)}"


def _times(count: int | None) -> str:
    return "once" if count == 1 else f"{count} times"


def summary_lines(
    options: Options,
    plan: Plan,
    progress: Progress,
    score: Score,
    notes: Sequence[str],
    clock: Clock,
    is_local: bool,
    at_once: int,
) -> str:
    """Return the lines below the table: how training ended, the test scores, notes, the time and the results' folder.

    `at_once`: the number of tasks that ran at the same time.
    """
    about = results.score_summary(score)
    macro = about["macro"]
    return (
        f"\n{_ending(plan, progress)}"
        f"test      accuracy {score.accuracy:.2%}: {about['errors']:,} of {score.rows:,} rows wrong; "
        f"macro precision {macro['precision']:.4f}, recall {macro['recall']:.4f}, F1 {macro['f1']:.4f}\n"
        f"{note_lines(notes)}"
        f"time      {Phases.of(progress.history).verdict(at_once)}\n"
        f"written   {options.output} in {clock.total:.1f} s; draw it with: "
        f"python generate_plots.py {shlex.quote(options.output) if is_local else 'A_LOCAL_COPY_OF_IT'}"
    )


def _ending(plan: Plan, progress: Progress) -> str:
    """Return the lines on why training stopped early and which epoch's weights are kept, if any."""
    epochs, lines = len(progress.history), ""
    if epochs < plan.epochs:
        reason = (
            progress.state.get("finished")
            or "the validation cost has not fallen for as many epochs as --patience allows"
        )
        lines = f"stopped   after epoch {epochs} of {plan.epochs}: {reason}\n"
    if progress.best is not None:
        best = progress.best
        lines += f"kept      the weights of epoch {best.epoch}, whose validation cost {best.cost:.6f} is the lowest\n"
    return lines


def summary(
    options: Options,
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
    """Return the content of summary.json as plain JSON values."""
    history, best = progress.history, progress.best
    accepted = [line for line in history if line.accepted]
    final = history[best.epoch - 1] if best else (accepted[-1] if accepted else None)
    return {
        "configuration": {**options.resolved(), "output": options.output},
        "versions": {
            "nn": __version__,
            "spark": context.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "arithmetic": fingerprint.fingerprint(),
            "java": jvm.java_version(context),
        },
        "master": context.master,
        "data": {
            **about,
            "width": train.width,
            "classes": train.classes,
            "scale": train.facts.scale,
            "train": {"rows": train.rows, "class_rows": train.class_rows.tolist()},
            "test": {"rows": test.rows, "class_rows": test.class_rows.tolist()},
        },
        "model": model.config(),
        "train": {
            "epochs": len(history),
            "resumed_after": resumed_after,  # epochs of an earlier run, whose time is not in `seconds`
            "rows": split.train_rows,
            "validation_rows": split.validation_rows,
            "best_epoch": best.epoch if best else None,
            # Of the best epoch where its weights are kept, else of the last accepted one; None if Bold Driver rejected
            # the step of every epoch, and the model still has its initial weights.
            "cost": final.cost if final else None,
            "accuracy": final.accuracy if final else None,
            "val_cost": final.val_cost if final else None,
            "val_accuracy": final.val_accuracy if final else None,
        },
        "test": results.score_summary(score),
        "seconds": {
            **clock.seconds,
            "total": clock.total,
            "training_phases": Phases.of(history)._asdict(),
        },
    }

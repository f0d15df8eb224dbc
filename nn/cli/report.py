"""The lines that a run prints above and below the table of epochs, and its summary.json."""

from __future__ import annotations

import platform
import shlex
import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nn import __version__
from nn.cli import starting
from nn.cli.options import Options
from nn.cli.run import Outcome, Run
from nn.core import fingerprint, format, spec
from nn.data import label_skew
from nn.data.class_weights import ClassWeightsReader
from nn.data.decoding import TargetScale
from nn.io import results
from nn.models.sequential import Sequential
from nn.spark.runtime import jvm
from nn.spark.runtime.cluster import Executor
from nn.spark.runtime.settings import is_true
from nn.spark.storage.filesystem import Folder
from nn.training import diagnosis
from nn.training.assembly import resolved
from nn.training.backend import Backend
from nn.training.evaluation import AnyScore
from nn.training.plan import Plan
from nn.training.recipe import Recipe
from nn.training.records import Progress
from nn.training.regression_score import RegressionScore
from nn.training.run import TrainingRun
from nn.training.timing import Phases

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
    in_a_pod = is_true(conf.get("spark.kubernetes.submitInDriver"))
    return in_a_pod or conf.get("spark.submit.deployMode", "client") == "cluster"


ON_CLUSTER_DISK = (
    "OUTPUT is on the disk of the machine or container that the cluster chose for the driver; on storage that all "
    "machines share it would outlast the driver, and --resume would find it"
)


def data_lines(run: Run, seconds: float) -> str:
    """Return the line on the data, which were read in `seconds`, and notes on them."""
    train, test, held_out = run.train, run.test, run.training.split.validation_rows
    tested = "no" if test is None else f"{test.rows:,}"
    partitions = f"{train.partitions} partition{'s' if train.partitions > 1 else ''}"
    validation = f" ({held_out:,} held out for validation)" if held_out else ""
    values = format.counted(train.width, "value")
    lines = [
        f"data      {run.names['name']}: {train.rows:,} training{validation} and {tested} test rows of "
        f"{values}, {_labels(run.training.model)}; read in {seconds:.1f} s into {partitions}"
    ]
    notes = [*train.notes, *(test.notes if test else ())]
    recipe = run.options.recipe
    if (
        recipe.averages_parameters
        and not recipe.is_regression
        and (warning := label_skew.warning(train.shuffle_windows, train.decoder.names(len(train.class_rows))))
    ):
        notes.append(warning)
    return "\n".join([*lines, *map(format.note, notes)])


def _labels(model: Sequential) -> str:
    """Return the number of classes, or the mean of the target."""
    if isinstance(model.decoder, TargetScale):
        return f"a target of mean {model.decoder.mean:.4g} and standard deviation {model.decoder.scale:.4g}"
    return f"{model.classes} classes"


def _many_jobs_notes(run: TrainingRun, backend: Backend | None) -> list[str]:
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


def plan_lines(run: TrainingRun, backend: Backend | None = None) -> str:
    """Return the network, how it is trained, and notes on that, with times where a backend can measure them."""
    recipe = resolved(run.recipe)
    first, *rest = run.model.summary().splitlines()
    network = "\n".join([f"network   {first}", *(f"          {line}" for line in rest)])
    if recipe.batch_size is not None:
        steps = f"batches of {recipe.batch_size:,} rows"
        if recipe.averages_parameters:
            steps = f"replicas in {steps}, averaged {_times(recipe)}"
            if recipe.outer_momentum or recipe.outer_learning_rate != 1:
                steps += (
                    f" with outer rate {recipe.outer_learning_rate:g} and momentum {recipe.outer_momentum:g}"
                )
    elif recipe.sample == 1:
        steps = "one step per epoch on all rows"
    else:
        steps = f"one step per epoch on a random {100 * (recipe.sample or 1):.3g} % of the rows"
    parts = [spec.to_text(recipe.loss), spec.to_text(recipe.used_optimizer)]
    if recipe.schedule is not None:
        parts.append(f"{spec.to_text(recipe.schedule)} at rate {recipe.learning_rate:g}")
    parts += [
        f"{name} {getattr(recipe, name):g}"
        for name in ("warmup", "l1", "l2", "clip")
        if getattr(recipe, name)
    ]
    if recipe.class_weights is not None:
        parts.append(f"class weights {ClassWeightsReader().plain(recipe.class_weights)}")
    if recipe.initializer is not None:
        parts.append(f"initial weights {recipe.initializer}")
    if recipe.patience is not None:
        parts.append(f"patience {recipe.patience}")
    if recipe.average_weights is not None:
        parts.append(f"weights averaged by {spec.to_text(recipe.average_weights)}")
    if recipe.augment:
        parts.append(f"augmented by {','.join(map(spec.to_text, recipe.augment))}")
    epochs = f"{recipe.epochs} epoch{'s' if recipe.epochs > 1 else ''}"
    training = f"training  {epochs}, {steps}; {', '.join(parts)}; seed {recipe.seed}"
    return f"{network}\n{training}\n{starting.lines(run)}{note_lines(_many_jobs_notes(run, backend))}"


def _times(recipe: Recipe) -> str:
    """Return how often the parameters of replicas are averaged."""
    if recipe.epochs_per_round > 1:
        return f"every {recipe.epochs_per_round} epochs"
    return "once per epoch" if recipe.rounds_per_epoch == 1 else f"{recipe.rounds_per_epoch} times per epoch"


def summary_lines(run: Run, outcome: Outcome, clock: Clock, is_local: bool) -> str:
    """Return the lines below the table: how training ended, the test scores, notes, the time and the results' folder.

    `is_local`: OUTPUT is on the disk of the driver.
    """
    progress, params, score = outcome
    tested = ""
    if score is not None:
        weighted = run.options.recipe.class_weights is not None or run.train.weighted
        notes = diagnosis.notes(score, progress, run.training.model, params, weighted)
        tested = f"test      {test_line(score, run.training.model)}\n{note_lines(notes)}"
    tasks_at_once = min(run.context.defaultParallelism, run.train.partitions)
    folder = run.options.output
    return (
        f"\n{_ending(run.training.plan, progress)}"
        f"{tested}"
        f"time      {Phases.of(progress.history).verdict(tasks_at_once)}\n"
        f"written   {folder} in {clock.total:.1f} s; draw it with: "
        f"python generate_plots.py {shlex.quote(folder) if is_local else 'A_LOCAL_COPY_OF_IT'}"
    )


def test_line(score: AnyScore, model: Sequential) -> str:
    """Return the test scores in one line."""
    test = results.score_summary(score, model.decoder)
    if isinstance(score, RegressionScore):
        return (
            f"rmse {score.rmse:.4g}, mae {score.mae:.4g}, R2 {score.r2:.4f} on {score.rows:,} rows; "
            f"always predicting the mean: rmse {test['baseline']:.4g}"
        )
    macro = test["macro"]
    ranks = "".join(
        f", {label} {test[name]:.4f}"
        for name, label in (("roc_auc", "ROC AUC"), ("log_loss", "log loss"))
        if test.get(name) is not None
    )
    return (
        f"accuracy {score.accuracy:.2%}: {test['errors']:,} of {score.rows:,} rows wrong; "
        f"macro precision {macro['precision']:.4f}, recall {macro['recall']:.4f}, F1 {macro['f1']:.4f}{ranks}"
    )


def _ending(plan: Plan, progress: Progress) -> str:
    """Return the lines on why training stopped early and which epoch's weights are kept, if any."""
    epochs, lines = len(progress.history), ""
    if epochs < plan.epochs:
        reason = (
            progress.state.stop_reason
            or "the validation cost has not fallen for as many epochs as --patience allows"
        )
        lines = f"stopped   after epoch {epochs} of {plan.epochs}: {reason}\n"
    if progress.best is not None:
        best = progress.best
        lines += f"kept      the weights of epoch {best.epoch}, whose validation cost {best.cost:.6f} is the lowest\n"
    return lines


def summary(run: Run, outcome: Outcome, clock: Clock, resumed_after: int) -> dict[str, Any]:
    """Return the content of summary.json as plain JSON values; `resumed_after`: the epochs of an earlier run."""
    history, best = outcome.progress.history, outcome.progress.best
    is_regression = run.options.recipe.is_regression
    return {
        "configuration": {**run.options.resolved(), "output": run.options.output},
        "versions": {
            "nn": __version__,
            "spark": run.context.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "arithmetic": fingerprint.fingerprint(),
            "java": jvm.java_version(run.context),
        },
        "master": run.context.master,
        "data": {
            **run.names,
            "width": run.train.width,
            **({} if is_regression else {"classes": run.train.classes}),
            **{
                name: {
                    "rows": data.rows,
                    **({} if is_regression else {"class_rows": data.class_rows.tolist()}),
                }
                for name, data in (("train", run.train), ("test", run.test))
                if data is not None
            },
        },
        "model": run.training.model.config(),
        **starting.summary(run.options, run.training),
        "train": {
            "epochs": len(history),
            "resumed_after": resumed_after,  # their time is not in `seconds`
            "rows": run.training.split.train_rows,
            "validation_rows": run.training.split.validation_rows,
            "best_epoch": best.epoch if best else None,
            **_final_costs(outcome.progress),
        },
        "test": outcome.score and results.score_summary(outcome.score, run.training.model.decoder),
        "seconds": {
            **clock.seconds,
            "total": clock.total,
            "training_phases": Phases.of(history)._asdict(),
        },
    }


def _final_costs(progress: Progress) -> dict[str, float | None]:
    """Return the costs and accuracies of the best epoch if its weights are kept, else of the last accepted one.

    All are None if the step of every epoch was rejected: then the model still has its initial weights.
    """
    history, best = progress.history, progress.best
    accepted = [line for line in history if line.accepted]
    final = history[best.epoch - 1] if best else (accepted[-1] if accepted else None)
    return {name: getattr(final, name, None) for name in ("cost", "accuracy", "val_cost", "val_accuracy")}

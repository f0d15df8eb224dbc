"""Fit networks on a DataFrame: read it once, train the runs that share its rows together, and score them."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError, DivergenceError, UsageError
from nn.data.decoding import ClassLabels
from nn.data.model_columns import listed
from nn.ml import summary as summaries
from nn.ml.checkpoints import Checkpoints
from nn.ml.fit_plan import FitPlan, in_params
from nn.ml.persistence import read_saved
from nn.ml.sessions import session_of
from nn.ml.summary import Summary
from nn.models import perceptron
from nn.models.classifier import Predictor
from nn.models.model_file import SavedModel
from nn.spark.frames.interface import FrameBackend, FrameSession
from nn.training import diagnosis
from nn.training.backend import Facts
from nn.training.multiple import TrainingLoop, TrainingResult, train_multiple
from nn.training.records import Epoch
from nn.training.run import TrainingRun, same_split

_log = logging.getLogger("nn.ml")
UNKNOWN_LABEL = "__unknown"  # the name that StringIndexer(handleInvalid="keep") adds

Callback = Callable[[Epoch], object]


class Fitted(NamedTuple):
    """A trained network and how it was trained."""

    predictor: Predictor
    summary: Summary
    error: DivergenceError | None = None  # where training diverged; the network is that of the epoch before


def fit_all(frame: Any, plans: Sequence[FitPlan], callbacks: Sequence[Callback | None]) -> list[Fitted]:
    """Train a network for each plan, in the order of the plans. Plans that need the same rows share passes over them.

    Raises UsageError where a plan and the rows do not fit each other, DataError for rows that cannot be learned from.
    """
    if frame.isStreaming:
        raise DataError("fit: expected a DataFrame of stored rows, found a stream; transform takes streams")
    found: dict[int, Fitted] = {}
    session = session_of(frame.sparkSession)
    paths = {plan.start_from for plan in plans if plan.start_from is not None}
    saved: dict[str | None, SavedModel | None] = {path: read_saved(session, path) for path in paths}
    plans = [_started(plan, saved.get(plan.start_from)) for plan in plans]
    for numbers in _groups([(plan.request, plan.start_from) for plan in plans]):
        began = time.perf_counter()
        rows = session.read(frame, plans[numbers[0]].request)
        try:
            start = saved.get(plans[numbers[0]].start_from)
            facts = _with_names(rows.facts, frame, plans[numbers[0]], start)
            for shared in _groups([same_split(plans[number].recipe) for number in numbers]):
                chosen = [numbers[place] for place in shared]
                fitted = _fit(
                    session,
                    facts,
                    rows.backend(),
                    [plans[number] for number in chosen],
                    [callbacks[number] for number in chosen],
                    began,
                    start,
                )
                found |= dict(zip(chosen, fitted, strict=True))
        finally:
            rows.release()
    return [found[number] for number in range(len(plans))]


def _groups(keys: Sequence[Any]) -> list[list[int]]:
    """Return the numbers of equal keys together, in the order of their first."""
    groups: dict[Any, list[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def _started(plan: FitPlan, saved: SavedModel | None) -> FitPlan:
    return plan if saved is None else plan.started(saved)


def _with_names(facts: Facts, frame: Any, plan: FitPlan, start: SavedModel | None) -> Facts:
    """Return the facts with the labels of the classes, where StringIndexer has left them in the column's metadata.

    The classes of the model to start from are kept. Raises DataError for labels that are numbered otherwise.
    """
    if plan.recipe.is_regression:
        return facts
    column = plan.request.columns.label
    names = frame.schema[column].metadata.get("ml_attr", {}).get("vals") or ()
    if start is not None and plan.recipe.keep_layers is None and isinstance(start.model.decoder, ClassLabels):
        _refuse_other_numbers(column, names, start.model.decoder.names(start.model.classes))
        return facts._replace(labeled=start.model.decoder)
    if plan.request.classes and tuple(names[facts.classes :]) == (UNKNOWN_LABEL,):
        names = names[: facts.classes]
    is_other = len(names) < facts.classes or (plan.request.classes and len(names) != facts.classes)
    if is_other or len(set(names)) < len(names):
        if names:
            _log.warning(
                "labelCol: column %r has the names of %d classes, the network has %d: predictions are class numbers",
                column,
                len(set(names)),
                facts.classes,
            )
        return facts
    return facts._replace(classes=len(names), labeled=ClassLabels(tuple(names)))


def _refuse_other_numbers(column: str, names: Sequence[str], own: Sequence[str]) -> None:
    """Raise DataError where labels are numbered otherwise than the classes of the trained model, `own`."""
    for number, (expected, found) in enumerate(zip(own, names, strict=False)):
        if expected != found:
            raise DataError(
                f"labelCol: column {column!r}: expected {number} for {expected!r}, as in the trained model, found it "
                f"for {found!r}; StringIndexerModel.from_labels([{listed(own)}]) gives its numbers"
            )


def _fit(
    session: FrameSession,
    facts: Facts,
    backend: FrameBackend,
    plans: Sequence[FitPlan],
    callbacks: Sequence[Callback | None],
    began: float,
    start_from: SavedModel | None,
) -> list[Fitted]:
    try:
        runs = TrainingRun.all_on([plan.recipe for plan in plans], facts, backend, start_from)
        starts = [run.start(_initial(run, plan)) for run, plan in zip(runs, plans, strict=True)]
    except ValueError as error:
        raise UsageError(in_params(str(error))) from None
    kept = [
        Checkpoints(session, plan, run, facts, start)
        for plan, run, start in zip(plans, runs, starts, strict=True)
    ]
    loops = []
    for number, (run, plan, callback) in enumerate(zip(runs, plans, callbacks, strict=True)):
        prefix = f"{number + 1} of {len(plans)}: " if len(plans) > 1 else ""
        watch = _Watch(prefix, callback)
        loops.append(TrainingLoop(run, kept[number].start(), plan.stop, watch, kept[number].save))
    trained = [
        n for n, plan in enumerate(plans) if plan.epochs or plan.recipe.used_optimizer.needs_exact_cost
    ]
    ends = [TrainingResult(start) for start in starts]
    for number, end in zip(trained, train_multiple([loops[n] for n in trained], backend), strict=True):
        ends[number] = end
    for one in kept:
        one.remove()
    return [_fitted(run, end, plan, backend, began) for run, end, plan in zip(runs, ends, plans, strict=True)]


def _initial(run: TrainingRun, plan: FitPlan) -> Any:
    """Return the parameters to start from; None: those of the run's own initializers.

    The sizes of a perceptron start at the weights that Spark draws for the seed.
    """
    weights, inputs = plan.initial_weights, math.prod(run.model.input_shape)
    if plan.sizes is not None and plan.sizes[0] != inputs:
        raise ValueError(
            f"layers: expected {inputs} inputs first, as the columns give, found {plan.sizes[0]}"
        )
    if weights is None and plan.draws_as_spark:
        assert plan.sizes is not None
        weights = perceptron.draw_weights(plan.sizes, plan.seed)
    return None if weights is None else perceptron.params_of(run.model, weights)


class _Watch:
    """Log each epoch, and call the user's function with it."""

    def __init__(self, prefix: str, callback: Callback | None):
        self._prefix, self._callback = prefix, callback

    def __call__(self, line: Epoch) -> None:
        validation = "" if line.val_cost is None else f", validation cost {line.val_cost:.6g}"
        accuracy = "" if line.accuracy is None else f", accuracy {line.accuracy:.4f}"
        rejected = "" if line.accepted else ", rejected"
        _log.info(
            "%sepoch %d: cost %.6g%s%s%s, %.2f s",
            self._prefix,
            line.epoch,
            line.cost,
            accuracy,
            validation,
            rejected,
            line.seconds,
        )
        if self._callback is not None:
            self._callback(line)


def _fitted(
    run: TrainingRun, end: TrainingResult, plan: FitPlan, backend: FrameBackend, began: float
) -> Fitted:
    """Return the trained network with its summary."""
    error = end.error
    if error is not None:
        error = DivergenceError(
            error.message, **{in_params(name): value for name, value in error.options.items()}
        )
        _log.warning("training diverged, the model is that of the epoch before: %s", error)
    found = run.predictor(end.progress)
    with np.errstate(over="ignore", invalid="ignore"):
        score = backend.evaluate(found.model, found.params)
    weighted = run.recipe.class_weights is not None or backend.weighted
    note = diagnosis.no_better_than_constant(score, found.model, "rows", diagnosis.OF_PYTHON, weighted)
    if note is not None:
        _log.warning("%s", in_params(note))
    exact = plan.recipe.used_optimizer.needs_exact_cost
    summary = summaries.of_training(end.progress, end.reason, time.perf_counter() - began, score, exact)
    return Fitted(found, summary, error)

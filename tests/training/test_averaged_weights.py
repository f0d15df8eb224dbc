"""With --average-weights steps are as without; validation rows, patience and the model take the mean of accepted ones.

A run that is cut at any epoch ends with the same bits as one that is not.
"""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from nn.core import tree
from nn.data.batches import RowSelection
from nn.data.local_rdd import local_rdd
from nn.io import checkpoint
from nn.io.checkpoint import Checkpoint
from nn.optim.optimizer import accepted_params
from nn.optim.requests import Gradients
from nn.training.backend import Facts, Job
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from tests.support.data import blobs

INPUTS, LABELS = blobs(200, width=9)
FACTS = Facts(9, LABELS, 3, 255.0, are_pixels=True)
SHARED = {
    "layers": "dense:8,tanh",
    "loss": "cross-entropy",
    "scale": "largest",
    "epochs": 9,
    "validation_fraction": 0.3,
}
WAYS = {
    "constant rate": {"optimizer": "momentum", "schedule": "constant"},
    "mini-batches": {"batch_size": 30, "optimizer": "adam", "learning_rate": 0.02, "freeze": 1},
    "replicas": {"average": "parameters", "batch_size": 30, "rounds_per_epoch": 2, "optimizer": "momentum"},
    "rejected steps": {"optimizer": "momentum", "learning_rate": 5.0},
    "rejected epochs": {"optimizer": "nesterov", "learning_rate": 5.0, "batch_size": 50},
    "rejected steps with dropout": {"layers": "dense:8,tanh,dropout:0.3", "learning_rate": 20.0},
}
AVERAGES = ("ema:0.8", "last:3")


class Counting(LocalBackend):
    """Rows in memory, in three partitions; what each job asks for is kept."""

    def __init__(self):
        super().__init__(local_rdd(INPUTS, LABELS, block_rows=64))
        self.jobs = []

    def run(self, jobs):
        self.jobs += [job._replace(request=tree.copy(job.params)) for job in jobs]
        return super().run(jobs)


def trained(**options):
    """The run, its backend and the progress after each epoch."""
    backend = Counting()
    run = TrainingRun.on(Recipe.of(**{**SHARED, **options}), FACTS, backend)
    return run, backend, list(run.epochs(backend))


def of_steps(line):
    """The columns of the history that the average does not change."""
    return line.cost, line.accuracy, line.learning_rate, line.accepted, line.rows


def bits(nest):
    return [array.tobytes() for array in tree.arrays(nest)]


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("way", WAYS)
def test_steps_are_those_of_a_run_without_an_average(way, average):
    run, backend, averaged = trained(**WAYS[way], average_weights=average)
    _, _, plain = trained(**WAYS[way])
    assert list(map(of_steps, averaged[-1].history)) == list(map(of_steps, plain[-1].history))
    assert bits(averaged[-1].state.trial) == bits(plain[-1].state.trial)
    if way.startswith("rejected"):
        assert {line.accepted for line in plain[-1].history} == {True, False}
    most = run.jobs_per_epoch() + way.startswith("rejected epochs")  # one more in the first epoch
    assert max(Counter(job.selection.epoch for job in backend.jobs).values()) == most


def points(run, progresses):
    """The parameters that are accepted by the epochs in turn, but for the initial weights."""
    whole = [run.initial_params(), *(run.objective.whole(accepted_params(p.state)) for p in progresses)]
    accepted = [p.history[-1].accepted for p in progresses]
    return [
        point for point, yes in zip(whole[1:], accepted, strict=True) if yes and bits(point) != bits(whole[0])
    ]


@pytest.mark.parametrize("way", WAYS)
def test_the_model_is_the_mean_of_the_last_accepted_epochs(way):
    _, _, plain = trained(**WAYS[way])
    run, _, averaged = trained(**WAYS[way], average_weights="last:3")
    last = points(run, plain)[-3:]
    assert len(last) == 3
    for found, *expected in zip(*map(tree.arrays, [run.final_params(averaged[-1]), *last]), strict=True):
        assert found == pytest.approx(np.mean(expected, axis=0), rel=1e-5, abs=1e-6)
    if "freeze" in WAYS[way]:
        assert bits(run.final_params(averaged[-1])[0]) == bits(run.initial_params()[0])


@pytest.mark.parametrize("way", ["constant rate", "rejected steps", "rejected steps with dropout"])
def test_ema_takes_each_accepted_step_of_an_epoch_each(way):
    _, _, plain = trained(**WAYS[way])
    run, _, averaged = trained(**WAYS[way], average_weights="ema:0.8")
    check_ema(run, averaged[-1], points(run, plain))


@pytest.mark.parametrize("way", ["mini-batches", "replicas"])
def test_ema_takes_each_mini_batch_or_round(way):
    run, backend, averaged = trained(**WAYS[way], average_weights="ema:0.8")
    steps = [job.request for job in backend.jobs if not job.selection.validation_only]
    assert len(steps) == 9 * run.plan.jobs and run.plan.jobs > 1
    check_ema(
        run,
        averaged[-1],
        [*map(run.objective.whole, steps[1:]), run.objective.whole(averaged[-1].state.trial)],
    )


def check_ema(run, progress, steps):
    weights = 0.8 ** np.arange(len(steps))[::-1]
    for found, *expected in zip(*map(tree.arrays, [run.final_params(progress), *steps]), strict=True):
        assert found == pytest.approx(np.average(expected, axis=0, weights=weights), rel=1e-4, abs=1e-6)


def test_a_rejected_epoch_of_mini_batches_leaves_the_average_as_it_is():
    _, _, progresses = trained(**WAYS["rejected epochs"], average_weights="ema:0.8")
    rejected = 0
    for before, after in pairwise(progresses):
        is_same = bits(before.average.points) == bits(after.average.points)
        assert is_same == (not after.history[-1].accepted)
        rejected += is_same
    assert rejected


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("way", WAYS)
def test_validation_rows_and_patience_take_the_average(way, average):
    run, backend, progresses = trained(**WAYS[way], average_weights=average, patience=20)
    only = RowSelection(fraction=0.0, validation_only=True)
    for progress in filter(lambda progress: progress.average.points, progresses):
        params = run.plan.average.mean(progress.average)
        (sums,) = backend.run([Job(run.objective, Gradients(params), only)])
        line = progress.history[-1]
        assert (line.val_cost, line.val_accuracy) == (sums.validation.cost, sums.validation.accuracy)
    best = progresses[-1].best
    assert bits(best.params) == bits(run.plan.average.mean(progresses[best.epoch - 1].average))
    assert bits(run.final_params(progresses[-1])) == bits(run.objective.whole(best.params))


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("way", WAYS)
def test_a_run_cut_at_any_epoch_ends_as_it_would_have(way, average):
    run, backend, progresses = trained(**WAYS[way], average_weights=average)
    for progress in [run.start(), *progresses]:
        content = checkpoint.to_bytes(Checkpoint(progress, {}, {}, {}))
        start = run.restore(checkpoint.from_bytes(content).progress)
        *_, last = [start, *run.epochs(backend, start)]
        assert bits(last.average.points) == bits(progresses[-1].average.points)
        assert bits(run.final_params(last)) == bits(run.final_params(progresses[-1]))
        same = zip(last.history, progresses[-1].history, strict=True)
        assert all(one[7:9] == other[7:9] and of_steps(one) == of_steps(other) for one, other in same)


def test_a_checkpoint_without_the_average_or_with_another_network_s_is_refused():
    run, _, progresses = trained(average_weights="last:2", epochs=3)
    content = checkpoint.to_bytes(Checkpoint(progresses[-1], {}, {}, {}))
    stored = checkpoint.from_bytes(content).progress
    with pytest.raises(ValueError, match="average: expected points, added, found nothing"):
        run.restore(stored._replace(average=None))
    other, _, _ = trained(average_weights="last:2", epochs=1, layers="dense:7,tanh")
    with pytest.raises(ValueError, match="expected float32"):
        other.restore(stored)
    progresses[-1].average.points[0][0]["W"][0, 0] = np.nan
    content = checkpoint.to_bytes(Checkpoint(progresses[-1], {}, {}, {}))
    with pytest.raises(ValueError, match="average.points.0.0.W: expected finite numbers, found nan"):
        checkpoint.from_bytes(content)

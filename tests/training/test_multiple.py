"""Several runs trained in one pass over the rows."""

import numpy as np
import pytest

from nn.data.local_rdd import local_rdd
from nn.training.backend import Facts
from nn.training.local import LocalBackend
from nn.training.multiple import TrainingLoop, train_multiple
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun, same_split
from tests.support.data import blobs


class Counting(LocalBackend):
    """Counts the jobs of each pass."""

    passes = ()

    def run(self, jobs):
        self.passes = (*self.passes, len(jobs))
        return super().run(jobs)


@pytest.fixture
def rows():
    """A backend for an easy problem, and its facts."""
    inputs, labels = blobs(60, seed=1)
    return Counting(local_rdd(inputs, labels, None)), Facts(inputs.shape[1], labels, 3)


RECIPES = [
    Recipe.of(scale="none", hidden=4, epochs=3, optimizer="adam", batch_size=20),
    Recipe.of(scale="none", hidden=3, epochs=1, optimizer="sgd"),
    Recipe.of(scale="none", hidden=2, epochs=9, optimizer="l-bfgs"),
]


def test_each_run_has_the_bits_of_the_one_alone(rows):
    backend, facts = rows
    runs = [TrainingRun.of(recipe, facts) for recipe in RECIPES]
    seen = []
    loops = [TrainingLoop(run, run.start(), on_epoch_end=seen.append) for run in runs]
    ends = train_multiple(loops, backend)
    assert backend.passes[0] == 3 and len(backend.passes) == 9 and len(seen) == 3 + 1 + 9
    for run, end in zip(runs, ends, strict=True):
        *_, alone = run.epochs(backend)
        assert end.error is None and len(end.progress.history) == run.plan.epochs
        for ours, theirs in zip(run.final_params(end.progress), run.final_params(alone), strict=True):
            assert all(np.array_equal(ours[key], theirs[key]) for key in theirs)


def test_a_run_that_diverges_ends_alone_at_its_last_finite_epoch(rows):
    backend, facts = rows
    wild = Recipe.of(
        scale="none", hidden=4, activation="relu", epochs=5, schedule="constant", learning_rate=1e38
    )
    runs = [TrainingRun.of(recipe, facts) for recipe in (wild, RECIPES[0])]
    with np.errstate(all="ignore"):
        first, second = train_multiple([TrainingLoop(run, run.start()) for run in runs], backend)
    assert first.error is not None and len(first.progress.history) < 5
    assert all(
        np.isfinite(layer[key]).all() for layer in runs[0].final_params(first.progress) for key in layer
    )
    assert second.error is None and len(second.progress.history) == 3


def test_a_course_stops_when_asked(rows):
    backend, facts = rows
    run = TrainingRun.of(RECIPES[0], facts)
    loop = TrainingLoop(run, run.start(), lambda before, after: "enough" if len(after.history) == 2 else "")
    (end,) = train_multiple([loop], backend)
    assert end.reason == "enough" and len(end.progress.history) == 2


def test_each_epoch_of_a_round_is_watched(rows):
    backend, facts = rows
    recipe = Recipe.of(scale="none", hidden=4, epochs=5, average="parameters", epochs_per_round=3)
    run, seen, saved = TrainingRun.of(recipe, facts), [], []
    train_multiple([TrainingLoop(run, run.start(), on_epoch_end=seen.append, save=saved.append)], backend)
    assert [line.epoch for line in seen] == [1, 2, 3, 4, 5] and len(backend.passes) == 2
    assert [len(progress.history) for progress in saved] == [3, 5]


def test_recipes_that_split_alike_share_rows(rows):
    one, other = Recipe.of(seed=1), Recipe.of(seed=2, hidden=9)
    assert same_split(one) == same_split(other)
    held = [Recipe.of(seed=seed, validation_fraction=0.5) for seed in (1, 2)]
    assert same_split(held[0]) != same_split(held[1])
    assert same_split(Recipe.of(class_weights="balanced")) != same_split(one)

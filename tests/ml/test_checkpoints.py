"""Checkpoints of a fit are written every so many epochs, also where a round of replicas is several."""

from types import SimpleNamespace

import pytest

from nn.data.local_rdd import local_rdd
from nn.ml.checkpoints import Checkpoints
from nn.training.backend import Facts
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from nn.training.together import Course, train_together
from tests.support.data import blobs

INPUTS, LABELS = blobs(60)


class Session:
    """Files in memory."""

    def __init__(self):
        self.files, self.writes = {}, 0

    def read_file(self, path, largest):
        return self.files.get(path)

    def write_file(self, path, content):
        self.files[path], self.writes = content, self.writes + 1

    def remove(self, path):
        self.files.pop(path, None)


@pytest.mark.parametrize(
    ("per_round", "interval", "kept"), [(1, 2, [2, 4, 6]), (2, 3, [4, 6]), (3, 2, [3, 6]), (4, 9, [])]
)
def test_a_checkpoint_follows_the_first_round_that_ends_after_so_many_epochs(per_round, interval, kept):
    recipe = Recipe.of(
        hidden=3, scale="none", epochs=7, average="parameters", epochs_per_round=per_round, optimizer="adam"
    )
    facts, backend, session = Facts(16, LABELS, 3), LocalBackend(local_rdd(INPUTS, LABELS)), Session()
    run = TrainingRun.of(recipe, facts)
    plan = SimpleNamespace(
        **{"checkpoint_interval": interval, "checkpoint_dir": "d", "recipe": recipe},
        **{"request": None, "epochs": 7, "stop": None},
    )
    checkpoints, seen = Checkpoints(session, plan, run, facts, run.start()), []

    def save(progress):
        before = session.writes
        checkpoints.save(progress)
        if session.writes > before:
            seen.append(len(progress.history))

    train_together([Course(run, checkpoints.start(), save=save)], backend)
    assert seen == kept
    again = Checkpoints(session, plan, run, facts, run.start())
    assert len(again.start().history) == (kept[-1] if kept else 0)
    again.save(again.start())
    assert session.writes == len(kept)

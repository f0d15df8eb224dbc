"""Checkpoints of a fit are written every so many epochs, also where a round of replicas is several."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nn.data.local_rdd import local_rdd
from nn.data.statistics import column_statistics
from nn.ml.checkpoints import Checkpoints
from nn.models.classifier import content_of
from nn.training.backend import Facts
from nn.training.local import LocalBackend, fit
from nn.training.multiple import TrainingLoop, train_multiple
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from tests.support import ROOT
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

    def remove_file(self, path):
        self.files[path] = b""  # as a server that cannot remove files


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

    train_multiple([TrainingLoop(run, checkpoints.start(), save=save)], backend)
    assert seen == kept
    again = Checkpoints(session, plan, run, facts, run.start())
    assert len(again.start().history) == (kept[-1] if kept else 0)
    again.save(again.start())
    assert session.writes == len(kept)
    for one in (checkpoints, again):
        one.remove()
    assert len(session.files) == bool(kept)
    assert not Checkpoints(session, plan, run, facts, run.start()).start().history


def digest(facts, recipe, start_from=None):
    """The name of the checkpoint of a fit."""
    run = TrainingRun.of(recipe, facts, start_from=start_from)
    plan = SimpleNamespace(
        checkpoint_interval=1, checkpoint_dir="d", recipe=recipe, request=0, epochs=1, stop=0
    )
    return Checkpoints(Session(), plan, run, facts, run.start()).path


def test_a_fit_on_other_features_or_from_another_model_has_another_checkpoint():
    facts, recipe = Facts(16, LABELS, 3), Recipe.of(hidden=3, scale="standard", epochs=1)
    rows = [facts._replace(statistics=column_statistics(INPUTS + n), fingerprint=str(n)) for n in (0, 0, 1)]
    assert len({digest(one, recipe) for one in rows}) == 2
    plain = Recipe.of(hidden=3, scale="none", epochs=1)
    models = [content_of(fit(INPUTS, LABELS, plain.replace(seed=seed))[0]) for seed in (0, 1)]
    frozen = plain.replace(freeze=2)
    assert len({digest(facts, frozen, model) for model in (*models, models[0])}) == 2


IN_A_NEW_PROCESS = """
import numpy as np
from nn.ml import NeuralNetworkClassifier
from nn.ml.checkpoints import Checkpoints
from nn.ml.fit_plan import fit_plan
from nn.training.backend import Facts
from nn.training.run import TrainingRun

facts = Facts(3, np.arange(8) % 2, 2)
for params in ({"optimizer": "adam", "schedule": "cosine"}, {"solver": "gd"}, {"solver": "l-bfgs"}):
    plan = fit_plan(NeuralNetworkClassifier(layerSpec="dense:2,relu", checkpointDir="d", **params), False)
    run = TrainingRun.of(plan.recipe, facts)
    print(Checkpoints(None, plan, run, facts, run.start()).path)
"""


def test_the_same_fit_has_the_same_checkpoint_in_a_new_process():
    pytest.importorskip("pyspark")
    command = [sys.executable, "-c", IN_A_NEW_PROCESS]
    paths = [
        subprocess.check_output(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, text=True)
        for seed in ("1", "2")
    ]
    assert paths[0] == paths[1] and len(set(paths[0].split())) == 3

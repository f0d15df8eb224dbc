"""Checkpoints of a fit on any file system: a fit that was interrupted goes on from the last one, with the same bits.

A checkpoint is known by a hash of the Params, the rows with their labels and weights, the statistics of the columns and
the initial weights, those of frozen layers too. It is removed when the fit ends.
"""

from __future__ import annotations

import hashlib
import json

import numpy as np

from nn.core import tree
from nn.core.errors import DataError
from nn.io import checkpoint
from nn.io.checkpoint import Checkpoint
from nn.ml.fit_plan import FitPlan
from nn.models.builder import MAX_PARAMETERS
from nn.spark.frames.interface import FrameSession
from nn.training.backend import Facts
from nn.training.records import Progress
from nn.training.run import TrainingRun

LARGEST = 32 * MAX_PARAMETERS  # bytes: several float32 arrays of the parameters' size


class Checkpoints:
    """The checkpoint of one run; without a directory nothing is written."""

    def __init__(self, session: FrameSession, plan: FitPlan, run: TrainingRun, facts: Facts, start: Progress):
        self._session, self._run, self._start = session, run, start
        self._interval, self._saved, self.path = plan.checkpoint_interval, 0, ""
        if plan.checkpoint_dir:
            name = _digest(plan, run, facts, start)
            self.path = f"{plan.checkpoint_dir.rstrip('/')}/{name}.npz"

    def start(self) -> Progress:
        """Return the progress to start from: that of the checkpoint, or that before the first epoch.

        Raises DataError for a file that is no checkpoint of this run.
        """
        content = self._session.read_file(self.path, LARGEST) if self.path else None
        if not content:  # empty: removed where a server cannot remove files
            return self._start
        try:
            progress = self._run.restore(checkpoint.from_bytes(content).progress)
        except ValueError as error:
            raise DataError(f"{self.path}: cannot be read as a checkpoint: {error}; remove it") from None
        self._saved = len(progress.history)
        return progress

    def save(self, progress: Progress) -> None:
        """Write the progress after an epoch, or a round of several, every few epochs."""
        epoch = len(progress.history)
        if self.path and epoch // self._interval > self._saved // self._interval:
            content = checkpoint.to_bytes(Checkpoint(progress, {}, {}, {}))
            self._session.write_file(self.path, content)
            self._saved = epoch

    def remove(self) -> None:
        """Remove the checkpoint, where one was read or written."""
        if self._saved:
            self._session.remove_file(self.path)


def _digest(plan: FitPlan, run: TrainingRun, facts: Facts, start: Progress) -> str:
    """Return the name of a run's checkpoint."""
    described = repr((plan.recipe, plan.request, plan.epochs, plan.stop, facts.partitions, facts.fingerprint))
    digest = hashlib.sha256(described.encode())
    digest.update(json.dumps(run.model.config()).encode())  # its encoder has the statistics of the columns
    for array in (*tree.arrays(start.state.trial), *tree.arrays(run.objective.frozen)):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:32]

"""Write down what a run has come to, epoch by epoch, and, however it ends, what is not written yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from nn.core.errors import DivergenceError, OutputLostError, add_hint
from nn.io.checkpoint import Checkpoint
from nn.spark.storage.checkpoints import FOLDER, Checkpoints
from nn.spark.storage.run_directory import Output
from nn.training.records import Progress

SHARE = 0.02  # of the time that checkpoints may take where the user does not say when
FIRST_GUESS = 0.1  # seconds for the first


class Pace:
    """When to write a checkpoint: after every so many epochs, or as often as writing takes less than SHARE of the time.

    `every` 0 is never.
    """

    def __init__(self, every: int | None, now: Callable[[], float] = time.monotonic):
        self._every, self._now = every, now
        self._began, self._spent, self._last = now(), 0.0, FIRST_GUESS

    @property
    def never(self) -> bool:
        """Whether none is to be written."""
        return self._every == 0

    def is_due(self, epoch: int) -> bool:
        """Whether one is to be written after the epoch."""
        if self._every is not None:
            return self._every > 0 and epoch % self._every == 0
        # Twice, since the one at the run's end is not asked for.
        return self._spent + 2 * self._last <= SHARE * (self._now() - self._began)

    def time(self, write: Callable[[], None]) -> None:
        """Write one, and count what it takes."""
        began = self._now()
        write()
        self._last = self._now() - began
        self._spent += self._last


class Recorder:
    """Called with each epoch's progress, inside `with`, it writes histories and checkpoints.

    Whatever ends the `with` block, the histories and the last epoch that is sound are written, as far as they can be.
    An error that ends it gets an `advice`: what is kept and how to go on.
    """

    def __init__(
        self,
        output: Output,
        checkpoints: Checkpoints,
        pace: Pace,
        point: Callable[[Progress], Checkpoint],
        is_sound: Callable[[Progress], bool],
        again: str,
        saved: int = 0,
    ):
        self._output, self._checkpoints, self._pace = output, checkpoints, pace
        self._point, self._is_sound = point, is_sound
        self._again = again  # how the user goes on, as "the same command with --resume"
        self._saved = saved  # the epoch of the last checkpoint, 0: none
        self._unsaved: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Write what is due after an epoch."""
        keeps = not self._pace.never and self._is_sound(progress)
        if keeps:
            self._unsaved = progress  # first, so that it is kept even where a signal cuts the next line short
        self._output.write_history(progress.history)
        if keeps and self._pace.is_due(len(progress.history)):
            self._save()

    def finish(self) -> None:
        """Write what is not written yet, once training has ended."""
        self._output.finish_history()
        self._save()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.finish()
            return
        # The error is what the user must hear of; with a JVM that is gone, nothing can be written to a far service.
        for write in (self._output.finish_history, self._save):
            with suppress(Exception):
                write()
        add_hint(error, self._advice(error))

    def _save(self) -> None:
        progress = self._unsaved
        if progress is not None:
            self._pace.time(lambda: self._write(progress))

    def _write(self, progress: Progress) -> None:
        self._checkpoints.write(self._point(progress))
        self._saved, self._unsaved = len(progress.history), None
        self._checkpoints.sweep()

    def _advice(self, error: BaseException) -> str:
        if not self._saved or isinstance(error, OutputLostError):
            return ""
        if isinstance(error, DivergenceError):
            return f"epoch {self._saved}, the last that was sound, is kept in {self._output.folder.path}/{FOLDER}"
        return f"{self._again} goes on after epoch {self._saved}"

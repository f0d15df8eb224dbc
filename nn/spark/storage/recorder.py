"""Write histories and checkpoints during a run and, however it ends, all that is not written yet."""

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

SHARE = 0.02  # of the run's time for writing checkpoints, where the user sets no interval
FIRST_GUESS = 0.1  # seconds for writing the first


class Pace:
    """Decide when to write a checkpoint.

    `every` is the number of epochs between two checkpoints. 0: never. None: so often that writing them takes at most
    SHARE of the run's time.
    """

    def __init__(self, every: int | None, now: Callable[[], float] = time.monotonic):
        self._every, self._now = every, now
        self._began, self._spent, self._last = now(), 0.0, FIRST_GUESS

    @property
    def never(self) -> bool:
        """Return whether no checkpoint is to be written."""
        return self._every == 0

    def is_due(self, epoch: int, saved: int) -> bool:
        """Return whether to write a checkpoint after the epoch; `saved` is that of the last one, 0: there is none."""
        if self._every is not None:
            return self._every > 0 and epoch // self._every > saved // self._every
        # Twice, for the one that is always written at the end of the run.
        return self._spent + 2 * self._last <= SHARE * (self._now() - self._began)

    def time(self, write: Callable[[], None]) -> None:
        """Call `write`, and measure the time that it takes."""
        began = self._now()
        write()
        self._last = self._now() - began
        self._spent += self._last


class Recorder:
    """Write histories and checkpoints, called with each epoch's progress inside `with`.

    However the `with` block ends, the histories and the last epoch with finite numbers are written, as far as possible.
    An error that ends it gets a hint: which epoch is saved and how to continue.
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
        self._again = again  # how the user continues, as "the same command with --resume"
        self._saved = saved  # epoch of the last checkpoint, 0: none
        self._unsaved: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Write what is due after an epoch, or a round of several."""
        is_saved = not self._pace.never and self._is_sound(progress)
        if is_saved:
            self._unsaved = progress  # first, so that it is saved even if a signal interrupts the next line
        self._output.write_history(progress.history)
        if is_saved and self._pace.is_due(len(progress.history), self._saved):
            self._save()

    def finish(self) -> None:
        """Write all that is not written yet, after training has ended."""
        self._output.finish_history()
        self._save()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.finish()
            return
        # Errors here must not replace the one that ended the run. Without a JVM, no remote service can be written to.
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

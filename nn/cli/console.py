"""Progress on the console: a table with one line per epoch, or one live line on a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TextIO

from nn.core import format
from nn.data.batches import RowSelection
from nn.training.backend import Backend, Job
from nn.training.plan import Plan
from nn.training.records import Epoch, Progress, Sums

COST, ACCURACY = "      epoch        cost", "   accuracy"
REST = "       rate  accepted       rows   seconds      left"
VALIDATION_COST, VALIDATION_ACCURACY = "    val cost", "    val acc"
BAR = 10  # characters; the live line fits a terminal of 80


def print_line(text: str) -> None:
    """Print a line, or several, at once, so that a log has it in time."""
    format.print_lines(text)


def line_of(epoch: Epoch, epochs: int, left: float) -> str:
    """Return an epoch's line of the table, without accuracy where targets are learned; `left`: seconds to the end."""
    count = f"{epoch.epoch}/{epochs}"
    accepted = "yes" if epoch.accepted else "rejected"
    line = (
        f"{count:>11}{_cost(epoch.cost):>12}{_share(epoch.accuracy, 11)}{epoch.learning_rate:>11.4g}"
        f"{accepted:>10}{epoch.rows:>11,}{epoch.seconds:>10.2f}{format.clock(left):>10}"
    )
    if epoch.val_cost is None:
        return line
    return f"{line}{_cost(epoch.val_cost):>12}{_share(epoch.val_accuracy, 11)}"


def _header(validates: bool, has_accuracy: bool) -> str:
    first = COST + (ACCURACY if has_accuracy else "") + REST
    if not validates:
        return first
    return first + VALIDATION_COST + (VALIDATION_ACCURACY if has_accuracy else "")


def _share(accuracy: float | None, width: int) -> str:
    return "" if accuracy is None else f"{accuracy:.2%}".rjust(width)


def _cost(cost: float) -> str:
    return f"{cost:.6f}" if cost < 1e4 else f"{cost:.5g}"


class LiveLine:
    """A line of a terminal that is written again and again, with a bar at its start."""

    def __init__(self, stream: TextIO | None = None):
        self.stream, self.is_drawn = stream or sys.stdout, False

    def draw(self, done: float, parts: Iterable[str]) -> None:
        """Write the line; `done` is a share of 1."""
        filled, width = int(BAR * done), _columns() - 1
        bar = f"[{'#' * filled}{'.' * (BAR - filled)}]"
        self.stream.write("\r" + "  ".join([bar, *parts])[:width].ljust(width))
        self.stream.flush()
        self.is_drawn = True

    def erase(self) -> None:
        """Clear the line, if it was drawn."""
        if self.is_drawn:
            self.stream.write("\r" + " " * (_columns() - 1) + "\r")
            self.stream.flush()
        self.is_drawn = False


class Table:
    """Shows the progress of training: as a table in a log, as a live line on a terminal."""

    def __init__(
        self, plan: Plan, live: bool, done: int = 0, stream: TextIO | None = None, has_accuracy: bool = True
    ):
        self.plan, self.live, self.stream = plan, live, stream or sys.stdout
        self.line = LiveLine(self.stream)
        self.header = _header(plan.validates, has_accuracy)
        self.start = done / plan.epochs  # the share of the epochs that an earlier run made
        self.began = time.monotonic()
        self.latest: Epoch | None = None
        self.shown = done  # epochs

    def watch(self, epochs: Iterable[Progress]) -> Iterator[Progress]:
        """Yield each epoch's progress and then show it, so that an epoch is shown once it is saved.

        The epochs of a round of several are shown together.
        """
        if not self.live:
            self._print(self.header)
        try:
            for progress in epochs:
                yield progress
                self.latest = progress.history[-1]
                if self.live:
                    self._draw_bar(len(progress.history) / self.plan.epochs)
                else:
                    left = self._left(len(progress.history) / self.plan.epochs)
                    for line in progress.history[self.shown :]:
                        self._print(line_of(line, self.plan.epochs, left))
                self.shown = len(progress.history)
        finally:  # what is printed next, an error too, starts on a line of its own
            if self.live and self.latest:
                self.line.erase()
                self._print(self.header + "\n" + line_of(self.latest, self.plan.epochs, 0))

    def after(self, selection: RowSelection) -> None:
        """Move the live line on after the job of a mini-batch."""
        if self.live and selection.batch is not None:
            self._draw_bar((selection.epoch - 1 + (selection.batch + 1) / self.plan.jobs) / self.plan.epochs)

    def _left(self, done: float) -> float:
        return (time.monotonic() - self.began) * (1 - done) / (done - self.start)

    def _draw_bar(self, done: float) -> None:
        parts = []
        if self.latest:
            e = self.latest
            shown = f"cost {e.cost:.5f}{_share(e.accuracy, 8)}"
            if e.val_cost is not None:
                shown = f"val cost {e.val_cost:.5f}{_share(e.val_accuracy, 8)}"
            parts.append(f"epoch {e.epoch}/{self.plan.epochs}  {shown}")
            parts.append(f"rate {e.learning_rate:.3g}" if e.accepted else "rejected")
        parts.append(f"{format.clock(self._left(done))} left")
        self.line.draw(done, parts)

    def _print(self, text: str) -> None:
        print(text, file=self.stream, flush=True)


class ProgressBackend:
    """A backend that moves the live line of a table on after each job."""

    def __init__(self, backend: Backend, table: Table):
        self._backend, self._table = backend, table

    def run(self, jobs: list[Job]) -> list[Sums]:
        """Run jobs in one pass over the rows."""
        sums = self._backend.run(jobs)
        for job in jobs:
            self._table.after(job.selection)
        return sums


def _columns() -> int:
    """Return the width of the controlling terminal: stdout may be a pipe to spark-submit, which has none."""
    try:
        with open("/dev/tty") as terminal:
            return os.get_terminal_size(terminal.fileno()).columns or 80
    except OSError:
        return shutil.get_terminal_size().columns

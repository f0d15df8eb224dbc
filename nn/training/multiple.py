"""Train several runs on the same rows: each pass over the rows serves the next job of every run.

A run's result does not depend on the runs beside it: its jobs are summed as if they were alone.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple

from nn.core.errors import DivergenceError
from nn.training.backend import Backend, Job
from nn.training.convergence import Stop, never
from nn.training.records import Epoch, Progress, Sums
from nn.training.run import TrainingRun


def ignore(value: object) -> None:
    """Do nothing."""


class TrainingResult(NamedTuple):
    """The end of a run."""

    progress: Progress  # with `error`, that of the last epoch whose numbers are finite
    reason: str = ""  # why it ended before its last epoch
    error: DivergenceError | None = None


class TrainingLoop(NamedTuple):
    """A run, where it starts and when it stops.

    `on_epoch_end` is called with the line of each epoch, `save` with the progress from which training goes on.
    """

    run: TrainingRun
    start: Progress
    stop: Stop = never
    on_epoch_end: Callable[[Epoch], object] = ignore
    save: Callable[[Progress], object] = ignore

    def jobs(self) -> Generator[Job, Sums, TrainingResult]:
        """Yield the jobs of all epochs, take their sums, and return how the run ends."""
        run, progress = self.run, self.start
        while (reason := run.reason_to_end(progress)) is None:
            following = yield from run.epoch(progress)
            for line in following.history[len(progress.history) :]:
                self.on_epoch_end(line)
            error = run.divergence(following)
            if error is not None:
                return TrainingResult(progress, str(error), error)
            stopped = self.stop(progress, following)
            progress = following
            if stopped:
                return TrainingResult(progress, stopped)
            self.save(progress)
        return TrainingResult(progress, reason)


def train_multiple(loops: Sequence[TrainingLoop], backend: Backend) -> list[TrainingResult]:
    """Train all runs, and return how each ends, in their order. A run that diverges does not end the others."""
    ends: dict[int, TrainingResult] = {}
    running = {number: loop.jobs() for number, loop in enumerate(loops)}
    jobs: dict[int, Job] = {}

    def advance(number: int, sums: Sums | None) -> None:
        try:
            jobs[number] = next(running[number]) if sums is None else running[number].send(sums)
        except StopIteration as end:
            ends[number] = end.value
            del running[number]

    for number in list(running):
        advance(number, None)
    while running:
        numbers = list(running)
        for number, sums in zip(numbers, backend.run([jobs[number] for number in numbers]), strict=True):
            advance(number, sums)
    return [ends[number] for number in range(len(loops))]

"""Show how far the Spark jobs of a phase are: a live line on a terminal, in a log a line from time to time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from nn.cli.console import LiveLine, print_line
from nn.core import format
from nn.spark.runtime.running_jobs import Running

POLL = 0.5  # seconds
LOG_EVERY = 60.0  # seconds between two lines of a log
JOIN_TIMEOUT = 5.0  # seconds to wait for a call into Java


class JobProgress:
    """The state of the jobs of a phase, and the lines on it."""

    def __init__(self, phase: str, line: LiveLine | None, print_line: Callable[[str], None] = print_line):
        self.phase, self.line, self.print_line = phase, line, print_line
        self.jobs: tuple[int, ...] = ()
        self.began = self.printed = 0.0  # of these jobs; the last line of a log

    def update(self, found: Running, now: float) -> None:
        """Show the running jobs at a time in seconds: on the live line, or in a log if none was shown for long."""
        if found.jobs != self.jobs:
            self.jobs, self.began = found.jobs, now
            self.printed = self.printed or now
        if not found.tasks:
            return
        shown = f"{self.phase}  {found.ended:,} of {found.tasks:,} tasks"
        if 0 < found.ended < found.tasks:
            left = (now - self.began) * (found.tasks - found.ended) / found.ended
            shown += f"  {format.clock(left)} left"
        if self.line is not None:
            self.line.draw(found.ended / found.tasks, [shown])
        elif now - self.printed >= LOG_EVERY:
            self.printed = now
            self.print_line(f"progress  {shown}")


@contextmanager
def shown(
    phase: str, running: Callable[[], Running], live: bool, stream: TextIO | None = None
) -> Iterator[None]:
    """Show how far the jobs are that run inside `with`, from a thread that asks `running` again and again."""
    line = LiveLine(stream) if live else None
    progress, ended = JobProgress(phase, line), threading.Event()

    def watch() -> None:
        while not ended.wait(POLL):
            with suppress(Exception):  # the job itself reports what is wrong with Spark
                progress.update(running(), time.monotonic())

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:  # what is printed next, an error too, starts on a line of its own
        ended.set()
        thread.join(JOIN_TIMEOUT)
        if line is not None:
            line.erase()

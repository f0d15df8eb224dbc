"""Progress on the console: one live line on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time

from nn.core.format import print_line

LIVE_SECONDS = 0.1  # between two states of the live line
PLAIN_SECONDS = 15.0  # between two plain lines of one long task


class Progress:
    """Shows the progress of a task: `with Progress("writing x", 60000, "rows") as p: p.advance(1000)`."""

    def __init__(self, task: str, total: int, unit: str):
        self.task, self.total, self.unit = task, total, unit
        self.done = 0
        self.live = sys.stdout.isatty()
        self.started = self.shown = time.monotonic()

    def __enter__(self) -> Progress:
        if self.live:
            self._show(end="")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            seconds = time.monotonic() - self.started
            self._print(f"{self.task}: {self.done:,} {self.unit} in {seconds:.1f} s", end="\n")
        elif self.live:
            self._print("", end="")  # the error's line takes the place of the live one

    def advance(self, amount: int) -> None:
        """Add `amount` units to the part that is done."""
        self.done += amount
        now = time.monotonic()
        if now - self.shown >= (LIVE_SECONDS if self.live else PLAIN_SECONDS):
            self.shown = now
            self._show(end="" if self.live else "\n")

    def _show(self, end: str) -> None:
        percent = 100 * self.done // self.total
        self._print(f"{self.task}: {percent:3d} % of {self.total:,} {self.unit}", end)

    def _print(self, line: str, end: str) -> None:
        clear = "\r\x1b[K" if self.live else ""  # back to the start of the line, and empty it
        print_line(line, start=clear, end=end)

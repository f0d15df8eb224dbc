"""The signals that end the program, and the exception that each raises."""

from __future__ import annotations

import signal
import sys
from typing import Any

from nn.core.errors import HungUp, Terminated

BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program

ERRORS: dict[int, type[KeyboardInterrupt]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}
if hasattr(signal, "SIGHUP"):  # Windows has none
    ERRORS[signal.SIGHUP] = HungUp


def handled() -> list[int]:
    """Return the signals that end this program: not SIGHUP if it is ignored, as under nohup."""
    return [number for number in ERRORS if not (ERRORS[number] is HungUp and _is_ignored(number))]


def exit_when_terminated() -> None:
    """Raise SystemExit on SIGTERM and SIGHUP, so that half-written files are removed; for programs without Spark."""
    for number in handled():
        if number != signal.SIGINT:  # Python raises KeyboardInterrupt by itself
            signal.signal(number, _exit)


def number_of(error: KeyboardInterrupt) -> int:
    """Return the number of the signal that raised an exception."""
    return next(number for number, kind in ERRORS.items() if type(error) is kind)


def ignore_all() -> None:
    """Ignore all these signals from now on, so that none interrupts the end of the program."""
    for number in ERRORS:
        signal.signal(number, signal.SIG_IGN)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN


def _exit(number: int, *_: Any) -> None:
    sys.exit(BY_SIGNAL + number)

"""The signals that end a program: the exception that each raises, and which of them the program hears."""

from __future__ import annotations

import signal

from nn.core.errors import HungUp, Terminated

ERRORS: dict[int, type[KeyboardInterrupt]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}
if hasattr(signal, "SIGHUP"):  # Windows has none
    ERRORS[signal.SIGHUP] = HungUp


def heard() -> list[int]:
    """Return the signals that end this program: of a closed terminal it hears nothing where nohup ignores that."""
    return [number for number in ERRORS if not (ERRORS[number] is HungUp and _is_ignored(number))]


def number_of(error: KeyboardInterrupt) -> int:
    """Return the signal that raised an error."""
    return next(number for number, kind in ERRORS.items() if type(error) is kind)


def ignore() -> None:
    """From here on no signal changes how the program ends."""
    for number in ERRORS:
        signal.signal(number, signal.SIG_IGN)


def _is_ignored(number: int) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN

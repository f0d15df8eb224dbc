"""Text for people: lines that are safe on a terminal, notes, sizes and durations."""

from __future__ import annotations

import sys
from typing import TextIO

LONGEST_LINE = 1900  # characters


def line(text: str) -> str:
    """Return a text as one line. Escape characters that end it or steer the terminal; cut it at LONGEST_LINE."""
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return shown if len(shown) <= LONGEST_LINE else shown[: LONGEST_LINE - 3] + "..."


def lines(text: str) -> str:
    """Return a text of several lines, each as `line` returns it."""
    return "\n".join(map(line, text.split("\n")))


def print_line(text: str, stream: TextIO | None = None, start: str = "", end: str = "\n") -> None:
    """Print a text as one line, like `print_lines`."""
    print_lines(line(text), stream, start, end)


def print_lines(text: str, stream: TextIO | None = None, start: str = "", end: str = "\n") -> None:
    """Print lines at once, by default on stdout. Escape characters that the stream cannot encode.

    `start` and `end` are printed as they are.
    """
    stream = sys.stdout if stream is None else stream
    encoding = stream.encoding or "utf-8"
    shown = lines(text).encode(encoding, "backslashreplace").decode(encoding)
    print(f"{start}{shown}", file=stream, end=end, flush=True)


def note(text: str) -> str:
    """Return the console's line for a note to the user."""
    return f"note      {text}"


def size(bytes: int) -> str:
    """Return a number of bytes in a unit that people read: 652 bytes, 3.84 kB, 1.2 GB."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if bytes >= unit:
            return f"{bytes / unit:.3g} {name}"
    return f"{bytes} bytes"


def duration(seconds: float) -> str:
    """Return a measured time with three digits: 12.3 ms, 4.56 s, 1,234 s."""
    if seconds < 0.9995:  # from there it rounds to a second
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 99.95 else f"{seconds:,.0f} s"


def clock(seconds: float) -> str:
    """Return a time to wait for, to the second: 12s, 3m05s, 2h07m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def counted(number: int, noun: str) -> str:
    """Return a number and its noun: 1 missing value, 2 missing values."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

"""Standard streams that were closed when the program started."""

from __future__ import annotations

import os
import sys


def open_missing() -> None:
    """Open os.devnull in place of each standard stream that was closed at the start, as by `>&-`.

    Otherwise the next file or connection that is opened would get the number of that stream, and with it all output
    that is printed there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False))

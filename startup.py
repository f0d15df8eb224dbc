"""What generate_data.py and generate_plots.py do first: look at Python's version, the standard streams and signals.

Every Python parses this file, so that one that is too old can say so: it has no annotations and no f-strings.
main_task.py, which travels without this file, does the same by itself (nn/cli/entry.py).
"""

import os
import signal
import sys

ENVIRONMENT = 4
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program


def refuse_old_python(program):
    """End with one line where Python is older than this project needs."""
    if sys.version_info < (3, 10):
        if sys.stderr:
            sys.stderr.write(
                program + ": error: needs Python 3.10 or newer, this is %d.%d\n" % sys.version_info[:2]
            )
        sys.exit(ENVIRONMENT)


def begin():
    """Make sure that nothing half-written is left however the program is ended, and that no file is printed into."""
    _open_missing_streams()
    _unwind_on_signals()


def _open_missing_streams():
    """Open os.devnull in the place of a standard stream that was closed when the program started, as by `>&-`.

    The next file that is opened would take its number, and what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", closefd=False))


def _unwind_on_signals():
    """End by an exception, as on Ctrl-C, on SIGTERM and where the terminal is closed, unless nohup ignores that."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number, frame):
    sys.exit(BY_SIGNAL + number)

"""Prepare the process of generate_data.py and generate_plots.py: Python's version, standard streams, signals.

Every Python parses this file, so that one that is too old can say so: it has no annotations and no f-strings, and it
imports nn only once the version is known to be new enough. main_task.py does not use it, because launchers copy that
file alone: it checks the version itself and leaves the rest to nn/cli/entry.py.
"""

import signal
import sys

ENVIRONMENT = 4
BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program


def refuse_old_python(program):
    """End the program with one line and exit code 4 if this Python is too old."""
    if sys.version_info < (3, 10):
        if sys.stderr:
            sys.stderr.write(
                program + ": error: needs Python 3.10 or newer, this is %d.%d\n" % sys.version_info[:2]
            )
        sys.exit(ENVIRONMENT)


def begin():
    """Open missing standard streams, and turn signals into exceptions so that half-written files are removed."""
    from nn.core import streams

    streams.open_missing()
    _exit_on_signals()


def _exit_on_signals():
    """Raise SystemExit on SIGTERM, and on SIGHUP unless it is ignored, as under nohup."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _exit)


def _exit(number, frame):
    sys.exit(BY_SIGNAL + number)

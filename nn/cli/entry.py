"""Run a program; turn each error and signal that ends it into one line on stderr and an exit code."""

from __future__ import annotations

import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TextIO

from nn.cli import failure
from nn.cli.failure import Failure
from nn.core import format, signals, streams
from nn.spark.runtime import launcher

READER_ENDS = 5.0  # seconds to wait for the end of spark-submit after a Ctrl-C; it mostly takes less than one


def run(program: str, parse: Callable[[list[str]], Any], main: Callable[[Any], None]) -> int:
    """Parse the command line, run `main` with the result, and return the exit code."""
    streams.open_missing()
    debug = "--debug" in sys.argv
    fail = partial(_fail, program, launcher.open_stderr())
    for number in signals.handled():
        if number != signal.SIGINT:  # for which Python has a handler, unless the signal is ignored
            signal.signal(number, _stop)
    try:
        options = parse(sys.argv[1:])
        debug = getattr(options, "debug", debug)
        main(options)
        signals.ignore_all()
        return 0
    except BrokenPipeError:
        signals.ignore_all()
        _flush(sys.stdout)
        return failure.UNEXPECTED
    except (Exception, KeyboardInterrupt) as error:
        if debug and isinstance(error, Exception):
            traceback.print_exc()
        return fail(failure.failure_of(error), debug)


def _stop(number: int, *_: Any) -> None:
    raise signals.ERRORS[number]


def _fail(program: str, launcher_stderr: int | None, reason: Failure, debug: bool) -> int:
    """Print the line of a failure on stderr and return its exit code.

    If nobody reads stderr any more, print it on that of the launcher, or else on the terminal. In the log of a driver
    that runs on the cluster, where nobody gets the exit code, the failure follows as a line of JSON.
    """
    signals.ignore_all()
    more = "" if debug or reason.is_explained else "; --debug shows all of it"
    line = format.line(f"{program}: {reason.line}{more}")
    _flush(sys.stdout)
    if reason.code == signals.BY_SIGNAL + signal.SIGINT:
        _await_end_of_reader(READER_ENDS)
    else:
        if launcher.runs_on_cluster():
            line = f"{line}\n{reason.to_json()}"
        if launcher.print_error(line):
            return reason.code
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        # A signal ends spark-submit too, through which our output goes; its own stderr is still open.
        with (
            suppress(OSError),
            open("/dev/tty" if launcher_stderr is None else launcher_stderr, "w") as reader,
        ):
            print(line, file=reader)
        _flush(sys.stderr)
    return reason.code


def _flush(stream: TextIO) -> None:
    """Write the buffered output of a stream, or drop it if nobody reads it any more.

    Otherwise it would raise another error at the program's end and change the exit code.
    """
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _await_end_of_reader(seconds: float) -> None:
    """Wait until the process that reads our stderr through a pipe has ended, for at most `seconds`."""
    with suppress(OSError, ValueError, AttributeError):  # no pipe, or no such call on this system
        if not sys.stderr.isatty():
            pipe = select.poll()
            pipe.register(sys.stderr.fileno(), 0)  # poll reports the reader's end unasked
            pipe.poll(1000 * seconds)

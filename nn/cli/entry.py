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

from nn.core import format, signals, streams
from nn.core.errors import HungUp, PlatformError, Terminated, hint_of
from nn.spark.runtime import errors, launcher

BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program
ENDED = {KeyboardInterrupt: "interrupted", Terminated: "terminated", HungUp: "terminal closed"}
UNEXPECTED = 1
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
    except KeyboardInterrupt as stop:
        return fail(f"{ENDED[type(stop)]}{_hint(stop)}", BY_SIGNAL + signals.number_of(stop))
    except BrokenPipeError:
        signals.ignore_all()
        _flush(sys.stdout)
        return UNEXPECTED
    except Exception as error:
        if debug:
            traceback.print_exc()
        return fail(*_line_and_code(error, debug))


def _stop(number: int, *_: Any) -> None:
    raise signals.ERRORS[number]


def _hint(error: BaseException) -> str:
    """Return the hint that was added to an error, as the end of its line."""
    hint = hint_of(error)
    return f"; {hint}" if hint else ""


def _line_and_code(error: Exception, debug: bool) -> tuple[str, int]:
    """Return an error's line and exit code."""
    known = errors.translate(error)
    if known is not None:
        return f"error: {known.on_command_line()}{_hint(error)}", known.exit_code
    more = _hint(error) + ("" if debug else "; --debug shows all of it")
    if errors.is_from_java(error):
        return f"error: Spark: {errors.reason_of(error)}{more}", PlatformError.exit_code
    if isinstance(error, OSError) and error.strerror:
        path = "" if error.filename is None else f"{error.filename}: "
        return f"error: {path}{error.strerror}{more}", PlatformError.exit_code
    if isinstance(error, MemoryError):
        return f"error: out of memory{more}", PlatformError.exit_code
    reason = errors.reason_of(error) if str(error).strip() else "no message"
    return f"error: {type(error).__name__}: {reason}{more}", UNEXPECTED


def _fail(program: str, launcher_stderr: int | None, line: str, code: int) -> int:
    """Print the line on stderr and return the exit code.

    If nobody reads stderr any more, print it on that of the launcher, or else on the terminal.
    """
    signals.ignore_all()
    line = format.line(f"{program}: {line}")
    _flush(sys.stdout)
    if code == BY_SIGNAL + signal.SIGINT:
        _await_end_of_reader(READER_ENDS)
    elif launcher.print_error(line):
        return code
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
    return code


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

"""Run a program so that whatever ends it early is one line on stderr and an exit code."""

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
from nn.core.errors import HungUp, PlatformError, Terminated, UserError, hint_of
from nn.spark.runtime import launcher

BY_SIGNAL = 128  # what a shell adds to the number of the signal that ended a program
ENDED = {KeyboardInterrupt: "interrupted", Terminated: "terminated", HungUp: "terminal closed"}
UNFORESEEN = 1
READER_ENDS = 5.0  # seconds that spark-submit takes to end after a Ctrl-C, at most: mostly less than one


def run(program: str, parse: Callable[[list[str]], Any], main: Callable[[Any], None]) -> int:
    """Parse the command line, run `main` with the result, and give the exit code."""
    streams.open_missing()
    debug = "--debug" in sys.argv
    say = partial(_say, program, launcher.open_stderr())
    for number in signals.heard():
        if number != signal.SIGINT:  # for which Python has a handler, unless the signal is ignored
            signal.signal(number, _stop)
    try:
        asked = parse(sys.argv[1:])
        debug = getattr(asked, "debug", debug)
        main(asked)
        signals.ignore()
        return 0
    except KeyboardInterrupt as stop:
        return say(f"{ENDED[type(stop)]}{_advice(stop)}", BY_SIGNAL + signals.number_of(stop))
    except BrokenPipeError:
        signals.ignore()
        _flush(sys.stdout)
        return UNFORESEEN
    except Exception as error:
        if debug:
            traceback.print_exc()
        return say(*_line_and_code(error, debug))


def _stop(number: int, *_: Any) -> None:
    raise signals.ERRORS[number]


def _advice(error: BaseException) -> str:
    """What whoever raised the error, or saw it pass, adds to it for the user."""
    advice = hint_of(error)
    return f"; {advice}" if advice else ""


def _line_and_code(error: Exception, debug: bool) -> tuple[str, int]:
    if isinstance(error, UserError):
        return f"error: {error.on_command_line()}{_advice(error)}", error.exit_code
    more = _advice(error) + ("" if debug else "; --debug shows all of it")
    java = getattr(error, "java_exception", None)
    if java is not None:
        return f"error: Spark: {_telling_line(str(java.getMessage()))}{more}", PlatformError.exit_code
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename}: "
        return f"error: {place}{error.strerror}{more}", PlatformError.exit_code
    if isinstance(error, MemoryError):
        return f"error: there is not memory enough{more}", PlatformError.exit_code
    return f"error: {type(error).__name__}: {_telling_line(str(error))}{more}", UNFORESEEN


def _telling_line(text: str) -> str:
    """The line of a long message that names the error: the last of a Python trace in it, else the first."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    traced = [number for number, line in enumerate(lines) if line.startswith("Traceback")]
    if traced:
        after = lines[traced[-1] + 1 :]
        named = [
            line for line in after if not line.startswith(("File ", "at ")) and "Error" in line.split(":")[0]
        ]
        return named[0] if named else lines[0]
    return lines[0] if lines else "no message"


def _say(program: str, behind: int | None, line: str, code: int) -> int:
    """Print the line on stderr; where nobody reads it there, on what lies behind it, else on the terminal."""
    signals.ignore()
    line = format.line(f"{program}: {line}")
    _flush(sys.stdout)
    if code == BY_SIGNAL + signal.SIGINT:
        _await_end_of_reader(READER_ENDS)
    elif launcher.print_error(line):
        return code
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        # A signal ends spark-submit too, through which our output goes; where it led to is still there.
        with suppress(OSError), open("/dev/tty" if behind is None else behind, "w") as reader:
            print(line, file=reader)
        _flush(sys.stderr)
    return code


def _flush(stream: TextIO) -> None:
    """Write what is printed and not written yet, or drop it where nobody reads it any more.

    Left there, it would raise another error at the program's end, and change the exit code.
    """
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _await_end_of_reader(seconds: float) -> None:
    """Wait until whoever reads our stderr through a pipe is gone, so long at most."""
    with suppress(OSError, ValueError, AttributeError):  # no pipe, or no such call on this system
        if not sys.stderr.isatty():
            pipe = select.poll()
            pipe.register(sys.stderr.fileno(), 0)  # the reader's end is told in any case
            pipe.poll(1000 * seconds)

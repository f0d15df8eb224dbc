"""Run a program so that whatever ends it early is one line on stderr and an exit code."""

from __future__ import annotations

import os
import select
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nn import printable
from nn.errors import EnvironmentFault, Terminated, UserError, advice_of

# What a shell gives a program ended by a signal.
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
UNFORESEEN = 1
READER_ENDS = 5.0  # seconds that spark-submit takes to end after a Ctrl-C, at most: mostly less than one


def run(program: str, parse: Callable[[list[str]], Any], main: Callable[[Any], None]) -> int:
    """Parse the command line, run `main` with the result, and give the exit code."""
    debug = "--debug" in sys.argv
    signal.signal(signal.SIGTERM, _terminate)
    try:
        asked = parse(sys.argv[1:])
        debug = getattr(asked, "debug", debug)
        main(asked)
        _turn_deaf()
        return 0
    except Terminated as stop:
        return _say(program, f"terminated{_advice(stop)}", TERMINATED)
    except KeyboardInterrupt as stop:
        return _say(program, f"interrupted{_advice(stop)}", INTERRUPTED)
    except BrokenPipeError:
        _turn_deaf()
        with suppress(OSError):  # what is left to print would raise another at the program's end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNFORESEEN
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _say(program, *_line_and_code(error, debug))


def _terminate(*_: Any) -> None:
    raise Terminated


def _turn_deaf() -> None:
    """From here on no signal changes how the program ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _advice(error: BaseException) -> str:
    """What whoever raised the error, or saw it pass, adds to it for the user."""
    advice = advice_of(error)
    return f"; {advice}" if advice else ""


def _line_and_code(error: Exception, debug: bool) -> tuple[str, int]:
    if isinstance(error, UserError):
        return f"error: {error.on_command_line()}{_advice(error)}", error.exit_code
    more = _advice(error) + ("" if debug else "; --debug shows all of it")
    java = getattr(error, "java_exception", None)
    if java is not None:
        return f"error: Spark: {_telling_line(str(java.getMessage()))}{more}", EnvironmentFault.exit_code
    if isinstance(error, OSError) and error.strerror:
        place = "" if error.filename is None else f"{error.filename}: "
        return f"error: {place}{error.strerror}{more}", EnvironmentFault.exit_code
    if isinstance(error, MemoryError):
        return f"error: there is not memory enough{more}", EnvironmentFault.exit_code
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


def _say(program: str, line: str, code: int) -> int:
    _turn_deaf()
    line = printable.line(f"{program}: {line}")
    with suppress(OSError):
        sys.stdout.flush()
    try:
        if code == INTERRUPTED:
            _await_end_of_reader(READER_ENDS)
        print(line, file=sys.stderr, flush=True)
    except OSError:
        # Ctrl-C ends spark-submit too, through which our output goes; the terminal itself is still there.
        with suppress(OSError), open("/dev/tty", "w") as terminal:
            print(line, file=terminal)
    return code


def _await_end_of_reader(seconds: float) -> None:
    """Wait until whoever reads our stderr through a pipe is gone, so long at most."""
    with suppress(OSError, ValueError, AttributeError):  # no pipe, or no such call on this system
        if not sys.stderr.isatty():
            pipe = select.poll()
            pipe.register(sys.stderr.fileno(), 0)  # the reader's end is told in any case
            pipe.poll(1000 * seconds)

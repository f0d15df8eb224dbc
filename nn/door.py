"""Run a program so that whatever ends it early is one line on stderr and an exit code."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nn.errors import EnvironmentFault, Terminated, UserError

# What a shell gives a program ended by a signal.
INTERRUPTED = 128 + signal.SIGINT
TERMINATED = 128 + signal.SIGTERM
UNFORESEEN = 1


def run(program: str, parse: Callable[[list[str]], Any], main: Callable[[Any], None]) -> int:
    """Parse the command line, run `main` with the result, and give the exit code."""
    debug = "--debug" in sys.argv
    signal.signal(signal.SIGTERM, _terminate)
    try:
        main(parse(sys.argv[1:]))
        return 0
    except Terminated as stop:
        return _say(program, f"terminated{_advice(stop)}", TERMINATED)
    except KeyboardInterrupt as stop:
        return _say(program, f"interrupted{_advice(stop)}", INTERRUPTED)
    except BrokenPipeError:
        return UNFORESEEN
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _say(program, *_line_and_code(error, debug))


def _terminate(*_: Any) -> None:
    raise Terminated


def _advice(error: BaseException) -> str:
    """What whoever raised the error, or saw it pass, adds to it for the user."""
    advice = getattr(error, "advice", "")
    return f"; {advice}" if advice else ""


def _line_and_code(error: Exception, debug: bool) -> tuple[str, int]:
    if isinstance(error, UserError):
        return f"error: {error}{_advice(error)}", error.exit_code
    more = _advice(error) + ("" if debug else "; --debug shows all of it")
    java = getattr(error, "java_exception", None)
    if java is not None:
        return f"error: Spark: {_telling_line(str(java.getMessage()))}{more}", EnvironmentFault.exit_code
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
    with suppress(OSError):  # a Ctrl-C may have ended the reader of our output first
        sys.stdout.flush()
        print(f"{program}: {line}", file=sys.stderr, flush=True)
    return code

"""Print lines and run programs, for every step of the set-up."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
_ERROR = re.compile(r"(E:|W: Failed|ERROR\b|Error\b|error:|fatal:|\w*Error:)")  # apt, pip, dnf, git, Python


class SetupError(Exception):
    """An error that ends the set-up: one line with the fault and the command to type."""


class Outcome(NamedTuple):
    """The exit code and output of a program."""

    code: int
    output: str

    @property
    def ok(self) -> bool:
        """Return whether the program succeeded."""
        return self.code == 0

    @property
    def reason(self) -> str:
        """Return the line with the reason of a failure: the last error line, or else the last line."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        errors = [line for line in lines if _ERROR.match(line)]
        return (errors or lines or [f"exit code {self.code}"])[-1]


Runner = Callable[[Sequence[str]], Outcome]


def run(command: Sequence[str], env: Mapping[str, str] | None = None, timeout: float = 1800) -> Outcome:
    """Run a program without input and collect its output; a missing program is an Outcome, not an error."""
    try:
        done = subprocess.run(
            list(command),
            env=env,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return Outcome(124, f"{command[0]} did not end within {timeout:g} s")
    except OSError as error:
        return Outcome(127, f"{command[0]}: {error.strerror}")
    return Outcome(done.returncode, done.stdout)


def print_line(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def shown(path: str | os.PathLike) -> str:
    """Return a path relative to the project's folder, if it is inside."""
    path = Path(path)
    return str(path.relative_to(ROOT)) if path.is_absolute() and path.is_relative_to(ROOT) else str(path)


def command(main: Callable[[list[str]], None]) -> None:
    """Run a module's main function on the arguments; a SetupError ends the program with its one line."""
    try:
        main(sys.argv[1:])
    except SetupError as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)

"""The ways a run can end early, each a class with its own exit code."""

from __future__ import annotations

from typing import Any, NamedTuple


class UserError(Exception):
    """What the user can mend: one line that says what, where, expected and found."""

    exit_code = 1

    def on_command_line(self) -> str:
        """Return the message for a user of the command line."""
        return str(self)


class UsageError(UserError):
    """Options that are unknown, out of range or exclude each other."""

    exit_code = 2


class DataError(UserError):
    """A file that is missing, malformed or does not fit the others."""

    exit_code = 3


class MissingFileError(DataError):
    """A file or folder of the data that is not there."""


class PlatformError(UserError):
    """A machine or cluster that cannot run the job: no Java, no Spark, a folder that cannot be written."""

    exit_code = 4


class OutputLostError(PlatformError):
    """OUTPUT belongs to another run now, which took this one for dead."""


class Terminated(KeyboardInterrupt):
    """The machine or its manager asks the program to end: SIGTERM."""


class Hint(NamedTuple):
    """What may keep training within the finite numbers."""

    place: str  # where it left them, and advice that no option stands for
    options: dict[str, Any]  # of a recipe, by name


class HungUp(Terminated):
    """The program's terminal was closed: SIGHUP."""


class DivergenceError(UserError):
    """Training left the finite numbers; `cures` are options of a recipe that may keep it there."""

    exit_code = 5

    def __init__(self, fault: str, **cures: Any):
        self.fault, self.cures = fault, cures
        super().__init__(self._with([f"{name}={_literal(value)}" for name, value in cures.items()]))

    def on_command_line(self) -> str:
        """Return the message with the cures as options of the command line."""
        options = ((name.replace("_", "-"), value) for name, value in self.cures.items())
        return self._with([f"--{name} {value}" for name, value in options])

    def _with(self, cures: list[str]) -> str:
        return f"{self.fault}; try {' or '.join(cures)}" if cures else self.fault


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def add_hint(error: BaseException, advice: str) -> None:
    """Add to an error what whoever sees it pass knows to tell the user; the last one's advice counts."""
    error.advice = advice  # type: ignore[attr-defined]


def hint_of(error: BaseException) -> str:
    """What was added to an error; empty where nothing was."""
    return getattr(error, "advice", "")

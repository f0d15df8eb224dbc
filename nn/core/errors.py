"""Exceptions that end a run, each with its own exit code."""

from __future__ import annotations

from typing import Any, NamedTuple


class UserError(Exception):
    """An error that the user can fix. Its message is one line: what, where, expected, found, what to do."""

    exit_code = 1

    def on_command_line(self) -> str:
        """Return the message for a user of the command line."""
        return str(self)


class UsageError(UserError):
    """Options are unknown, out of range or exclude each other."""

    exit_code = 2


class DataError(UserError):
    """A data file is missing, malformed or does not fit the others."""

    exit_code = 3


class MissingFileError(DataError):
    """A file or folder of the data does not exist."""


class PlatformError(UserError):
    """The machine or cluster cannot run the job: no Java, no Spark, no permission to write."""

    exit_code = 4


class OutputLostError(PlatformError):
    """Another run has taken over OUTPUT, because this one seemed to have ended."""


class DivergenceError(UserError):
    """Costs or parameters became infinite or nan; `options` are options of a recipe that may prevent it."""

    exit_code = 5

    def __init__(self, message: str, **options: Any):
        self.message, self.options = message, options
        super().__init__(self._with([f"{name}={_literal(value)}" for name, value in options.items()]))

    def on_command_line(self) -> str:
        """Return the message with its options as the command line spells them."""
        options = ((name.replace("_", "-"), value) for name, value in self.options.items())
        return self._with([f"--{name} {value}" for name, value in options])

    def _with(self, options: list[str]) -> str:
        return f"{self.message}; try {' or '.join(options)}" if options else self.message


class Hint(NamedTuple):
    """Advice against divergence."""

    message: str  # added to the error's message: where training diverged, or advice that is no option
    options: dict[str, Any]  # of a recipe: name -> value to try


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


# ---- signals ----


class Terminated(KeyboardInterrupt):
    """The operating system or the cluster manager ends the program: SIGTERM."""


class HungUp(Terminated):
    """The terminal of the program was closed: SIGHUP."""


# ---- hints to any error ----


def add_hint(error: BaseException, hint: str) -> None:
    """Attach a hint for the user to an error; it replaces an earlier one."""
    error.hint = hint  # type: ignore[attr-defined]


def hint_of(error: BaseException) -> str:
    """Return the hint attached to an error, or an empty text."""
    return getattr(error, "hint", "")

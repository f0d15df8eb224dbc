"""Why a program ended early: its line and exit code, and OUTPUT/_ERROR.json, which a scheduler can read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from nn.core import format, signals
from nn.core.errors import HungUp, OutputLostError, PlatformError, Terminated, add_hint, hint_of
from nn.spark.runtime import errors, session
from nn.spark.storage import error_file
from nn.spark.storage.filesystem import Folder

ENDED = {KeyboardInterrupt: "interrupted", Terminated: "terminated", HungUp: "terminal closed"}
UNEXPECTED = 1
KINDS = {UNEXPECTED: "unexpected", 2: "usage", 3: "data", 4: "environment", 5: "diverged"}


class Failure(NamedTuple):
    """Why a program ended early."""

    code: int  # the exit code
    kind: str  # one of KINDS or ENDED
    message: str  # for the user, without the program's name
    is_explained: bool = True  # whether the message says all; else --debug shows more

    @property
    def line(self) -> str:
        """Return the message as it stands after the program's name."""
        return self.message if self.code > signals.BY_SIGNAL else f"error: {self.message}"

    def to_json(self) -> str:
        """Return the failure as one line of JSON with code, kind and message."""
        return json.dumps({"code": self.code, "kind": self.kind, "message": format.line(self.message)})


def failure_of(error: BaseException) -> Failure:
    """Return the failure that an error stands for, with the hint that is attached to it."""
    hint = hint_of(error)
    more = f"; {hint}" if hint else ""
    if isinstance(error, KeyboardInterrupt):
        kind = ENDED[type(error)]
        return Failure(signals.BY_SIGNAL + signals.number_of(error), kind, f"{kind}{more}")
    known = errors.translate(error)
    if known is not None:
        return _failure(known.exit_code, f"{known.on_command_line()}{more}", True)
    code, message = _unexpected(error)
    return _failure(code, f"{message}{more}", False)


def _failure(code: int, message: str, is_explained: bool) -> Failure:
    return Failure(code, KINDS[code], message, is_explained)


def _unexpected(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the message of an error that is not one of the project's own."""
    if errors.is_from_java(error):
        reason = errors.reason_of(error)
        if errors.is_of_network(reason):
            return PlatformError.exit_code, f"the connection to a storage broke off: {reason}"
        return PlatformError.exit_code, f"Spark: {reason}"
    if isinstance(error, OSError) and error.strerror:
        path = "" if error.filename is None else f"{error.filename}: "
        return PlatformError.exit_code, f"{path}{error.strerror}"
    if isinstance(error, MemoryError):
        return PlatformError.exit_code, "out of memory"
    reason = errors.reason_of(error) if str(error).strip() else "no message"
    return UNEXPECTED, f"{type(error).__name__}: {reason}"


@contextmanager
def recorded(context: Any, folder: Folder) -> Iterator[None]:
    """Write OUTPUT/_ERROR.json where an error ends the run inside `with`. Remove that of an earlier run first.

    The run holds the lock of OUTPUT. Where the file cannot be written, the error is raised all the same.
    """
    error_file.remove(folder)
    try:
        yield
    except OutputLostError:  # OUTPUT is another run's now
        raise
    except BaseException as error:
        with suppress(Exception):
            cause = session.cause_of(context, error)
            add_hint(cause, hint_of(error))
            error_file.write(folder, failure_of(cause).to_json())
        raise

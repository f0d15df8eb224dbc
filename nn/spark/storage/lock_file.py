"""What OUTPUT/_RUNNING says: which process writes there, and whether that process may still be alive."""

from __future__ import annotations

import json
import os
import secrets
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, NamedTuple

NAME = "_RUNNING"
EVERY = 30.0  # seconds between two writes of it
STALE = 120.0  # seconds without a write after which its run counts as dead
LARGEST = 1 << 12  # bytes
LONGEST = 255  # characters of a text in it


class Mark(NamedTuple):
    """The content of the file."""

    host: str
    boot: str  # id of the boot of the machine, or of the machine where the system has none
    namespace: str  # in which the process number counts; containers of one machine have one each
    process: int
    started: int  # when that process started, in the kernel's ticks; 0: unknown
    since: str  # when the run began, ISO 8601 in UTC
    token: str

    def to_bytes(self) -> bytes:
        """The file's content."""
        return (json.dumps(self._asdict(), indent=2) + "\n").encode()

    @property
    def owner(self) -> str:
        """Whose mark it is, for a line to the user."""
        began = datetime.fromisoformat(self.since).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        return f"process {self.process} on {self.host}, since {began}"


class Machine(NamedTuple):
    """What this process knows of the processes beside it."""

    host: str
    boot: str
    namespace: str
    start_of: Callable[[int], int | None]  # see `start_of` below

    def is_alive(self, mark: Mark) -> bool | None:
        """Whether the process of a mark still runs; None where that cannot be known here."""
        if (mark.host, mark.boot, mark.namespace) != (self.host, self.boot, self.namespace):
            return None
        started = self.start_of(mark.process)
        if started is None:
            return False
        if started == 0 or mark.started == 0:  # a process of that number runs, which may be another one
            return None
        return started == mark.started


def this_machine() -> Machine:
    """The machine that this process runs on."""
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid")
    boot = _text_of("/proc/sys/kernel/random/boot_id").strip() or f"{uuid.getnode():x}"
    return Machine(socket.gethostname(), boot, namespace, start_of)


def start_of(process: int) -> int | None:
    """When a process started, in the kernel's ticks; 0: it runs and no more is known, None: it does not run."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except (OSError, OverflowError):  # another user's
        pass
    # Behind the name in brackets, which may hold anything: the state is field 3, the start field 22.
    fields = _text_of(f"/proc/{process}/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return 0
    return None if fields[0] in ("Z", "X") else int(fields[19])


def new(machine: Machine) -> Mark:
    """The mark of this process."""
    process = os.getpid()
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    started = machine.start_of(process) or 0
    return Mark(machine.host, machine.boot, machine.namespace, process, started, since, secrets.token_hex(16))


def from_bytes(content: bytes) -> Mark | None:
    """The mark in a file's content; None where it is none."""
    try:
        mark = Mark(**json.loads(content))
        is_whole = all(_fits(name, value) for name, value in mark._asdict().items())
        return mark if is_whole and mark.owner else None
    except (ValueError, TypeError, RecursionError, OverflowError, OSError):  # the last two from its date
        return None


def _fits(name: str, value: Any) -> bool:
    if name in ("process", "started"):
        return type(value) is int and 0 <= value < 1 << 62
    return isinstance(value, str) and value.isprintable() and len(value) <= LONGEST


def _text_of(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""

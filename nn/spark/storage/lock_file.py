"""Write and read the lock file OUTPUT/_RUNNING: which process owns OUTPUT, and whether that process may still run."""

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
RENEWAL = 30.0  # seconds between two writes of the file
STALE = 120.0  # seconds without a write after which the owner counts as dead
MAX_BYTES = 1 << 12  # of the file
MAX_CHARACTERS = 255  # of a text in it


class Owner(NamedTuple):
    """The process that owns OUTPUT, which is the content of the file."""

    host: str
    boot: str  # id of the machine's boot, or of the machine where the system has no boot id
    namespace: str  # of the process id; each container of a machine has its own
    process: int  # its id
    started: int  # when the process started, in the kernel's ticks; 0: unknown
    since: str  # when the run began, ISO 8601 in UTC
    token: str  # random, so that no two runs are equal

    def to_bytes(self) -> bytes:
        """Return the content of the file."""
        return (json.dumps(self._asdict(), indent=2) + "\n").encode()

    @property
    def description(self) -> str:
        """Return which process it is, for a message to the user."""
        began = datetime.fromisoformat(self.since).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        return f"process {self.process} on {self.host}, since {began}"


class Machine(NamedTuple):
    """The machine that this process runs on, and how to look up its other processes."""

    host: str
    boot: str
    namespace: str
    start_time: Callable[[int], int | None]  # the function `start_time`, or a test's own

    def is_alive(self, owner: Owner) -> bool | None:
        """Return whether the owner still runs; None where this machine cannot know it."""
        if (owner.host, owner.boot, owner.namespace) != (self.host, self.boot, self.namespace):
            return None
        started = self.start_time(owner.process)
        if started is None:
            return False
        if started == 0 or owner.started == 0:  # a process with that id runs, but it may be another one
            return None
        return started == owner.started


def this_machine() -> Machine:
    """Return the machine that this process runs on."""
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid")
    boot = _read_text("/proc/sys/kernel/random/boot_id").strip() or f"{uuid.getnode():x}"
    return Machine(socket.gethostname(), boot, namespace, start_time)


def start_time(process: int) -> int | None:
    """Return when a process started, in the kernel's ticks; 0: it runs since an unknown time, None: it does not run."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except (OSError, OverflowError):  # another user's
        pass
    # The second field is the program's name in brackets, which may hold any text; field 3 is the state, 22 the start.
    fields = _read_text(f"/proc/{process}/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return 0
    return None if fields[0] in ("Z", "X") else int(fields[19])


def this_process(machine: Machine) -> Owner:
    """Return this process as an owner."""
    process = os.getpid()
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    started = machine.start_time(process) or 0
    return Owner(
        machine.host, machine.boot, machine.namespace, process, started, since, secrets.token_hex(16)
    )


def from_bytes(content: bytes) -> Owner | None:
    """Return the owner that a lock file's content describes; None where the content is not valid."""
    try:
        owner = Owner(**json.loads(content))
        is_valid = all(_is_valid(name, value) for name, value in owner._asdict().items())
        return owner if is_valid and owner.description else None
    except (ValueError, TypeError, RecursionError, OverflowError, OSError):  # the last two from its date
        return None


def _is_valid(name: str, value: Any) -> bool:
    if name in ("process", "started"):
        return type(value) is int and 0 <= value < 1 << 62
    return isinstance(value, str) and value.isprintable() and len(value) <= MAX_CHARACTERS


def _read_text(path: str) -> str:
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""

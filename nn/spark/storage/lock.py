"""Keep other runs out of OUTPUT while one writes there: the file OUTPUT/_RUNNING, written anew every 30 s.

A run creates the file before it reads data and removes it at its end. Another run refuses an OUTPUT with such a file,
unless the run that wrote it is dead: its process is no longer there, or the file was not written for two minutes. Ages
are taken by the clock of the file system, since those of two machines may differ.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from nn.core.errors import OutputLostError, PlatformError, UsageError
from nn.spark.storage import lock_file
from nn.spark.storage.filesystem import Folder
from nn.spark.storage.lock_file import EVERY, LARGEST, NAME, STALE, Machine, Mark

POLL = 2.0  # seconds between two looks at another run's mark
ATTEMPTS = 3  # to create the file, where others remove and create it at the same time
TRUSTED = 2 * EVERY  # seconds that a run writes on after it last read its own mark
END = 5.0  # seconds that the renewing thread may take to end


class Clock(NamedTuple):
    """What measures time; tests have their own."""

    now: Callable[[], float] = time.time  # goes on while the machine sleeps
    sleep: Callable[[float], None] = time.sleep


class Found(NamedTuple):
    """The mark of a run that is not known to be dead."""

    mark: Mark | None  # None: the file does not hold one
    modified: float  # by the clock of the file system
    age: float  # seconds since then
    is_alive: bool  # whether the process is known to run

    def refusal(self, path: str) -> str:
        """Why another run may not write there, and what to do, in a line."""
        whose = self.mark.owner if self.mark else f"{NAME} names no process"
        if self.is_alive:
            cure = "wait for its end, or choose another OUTPUT"
        else:
            cure = (
                f"{NAME} was last written {self.age:.0f} s ago; if that run has ended, give the same command again in "
                f"{max(STALE - self.age, 1):.0f} s"
            )
        return f"OUTPUT: another run writes to {path}: {whose}; {cure}"


def refuse_running(
    folder: Folder, machine: Machine | None = None, now: Callable[[], float] = time.time
) -> None:
    """Raise UsageError where another run writes to the folder; nothing is written, and `now` serves as a clock."""
    found = _look(folder, machine or lock_file.this_machine(), now)
    if found is not None:
        raise UsageError(found.refusal(folder.path))


@contextmanager
def claimed(
    folder: Folder,
    check: Callable[[], None],
    waits: bool,
    say: Callable[[str], None],
    machine: Machine | None = None,
    clock: Clock | None = None,
) -> Iterator[None]:
    """Inside `with`, no other run writes to the folder; `check` raises where this one may not either.

    Where `waits`, a run elsewhere that may be dead is waited for until that is known. Raises UsageError where another
    run is alive.
    """
    claim = Claim(folder, machine or lock_file.this_machine(), clock or Clock())
    claim.wait_or_refuse(waits, say)
    check()
    created = folder.missing()
    try:
        claim.take()
        check()  # again, since another run may have ended meanwhile
        folder.before_change = claim.confirm
        claim.begin_renewing()
        yield
    finally:
        claim.release()
        folder.before_change = lambda: None
        folder.drop(created)


class Claim:
    """The mark of this run in a folder."""

    def __init__(self, folder: Folder, machine: Machine, clock: Clock):
        self._folder, self._machine, self._clock = folder, machine, clock
        self._mark = lock_file.new(machine)
        self._content = self._mark.to_bytes()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: float | None = None  # when the file was last found to be this run's
        self._lost: OutputLostError | None = None

    def wait_or_refuse(self, waits: bool, say: Callable[[str], None]) -> None:
        """Return once no other run writes to the folder; UsageError where one does."""
        first = found = self._other()
        if first is not None and not first.is_alive and waits:
            found = self._outwait(first, say)
        if found is not None:
            raise UsageError(found.refusal(self._folder.path))

    def _outwait(self, first: Found, say: Callable[[str], None]) -> Found | None:
        """Wait until a mark is too old; the one that is found where it is written anew meanwhile."""
        whose = first.mark.owner if first.mark else "a run that it does not name"
        left = STALE - first.age + POLL  # some file systems count whole seconds
        say(
            f"waiting   {left:.0f} s at most: {self._folder.path}/{NAME} was written {first.age:.0f} s ago by "
            f"{whose}, which counts as dead if it does not write it again; Ctrl-C ends the waiting"
        )
        until = self._clock.now() + left
        while (remaining := until - self._clock.now()) > 0:
            self._clock.sleep(min(POLL, remaining))
            modified = self._folder.modified(NAME)
            if modified is None:
                return None
            if modified != first.modified:
                return self._other()
        return None

    def take(self) -> None:
        """Create the file, in the place of one whose run is dead; UsageError where another run is faster."""
        for _ in range(ATTEMPTS):
            if self._folder.create(NAME, self._content) and self._read() == self._mark:
                return
            found = self._other()
            if found is not None:
                raise UsageError(found.refusal(self._folder.path))
            self._folder.remove(NAME)
        raise PlatformError(f"cannot create {self._folder.path}/{NAME}: other runs create it again and again")

    def begin_renewing(self) -> None:
        """Write the file again every 30 s, in a thread of its own."""
        self._thread = threading.Thread(target=self._renew_until_ended, name="renewing OUTPUT", daemon=True)
        self._thread.start()

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(EVERY):
            with suppress(Exception):  # a file system that does not answer now may do so the next time
                self.renew()

    def renew(self) -> None:
        """Write the file again, if it is still this run's."""
        with self._lock:
            if not self._ended.is_set() and self._is_mine():
                self._folder.rewrite(NAME, self._content)

    def confirm(self) -> None:
        """Raise OutputLostError where the file is another run's; it is read where that was not done for a while."""
        with self._lock:
            is_trusted = self._seen is not None and 0 <= self._clock.now() - self._seen < TRUSTED
            if not self._lost and not is_trusted:
                self._is_mine()
        if self._lost:
            raise self._lost

    def _is_mine(self) -> bool:
        """Whether the file is this run's; one that was removed is created again."""
        if self._lost:
            return False
        now = self._clock.now()
        found = self._read()
        if found is None and self._folder.create(NAME, self._content):
            found = self._mark
        if found is not None and found != self._mark:
            self._lost = OutputLostError(
                f"OUTPUT: another run writes to {self._folder.path}: {found.owner}; it treated this run as dead, "
                f"because {NAME} was not written for {STALE:.0f} s; this run has stopped and writes no more"
            )
            return False
        self._seen = now
        return True

    def release(self) -> None:
        """Remove the file, if it is this run's."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(END)
        with suppress(Exception):  # the run's own end matters more; a file that stays counts as a dead run's
            if self._read() == self._mark:
                self._folder.remove(NAME)

    def _read(self) -> Mark | None:
        with suppress(ValueError):
            return lock_file.from_bytes(self._folder.read(NAME, LARGEST) or b"")
        return None

    def _other(self) -> Found | None:
        return _look(self._folder, self._machine, self._now_there)

    def _now_there(self) -> float:
        """The time by the clock of the folder's file system, which dates a new file."""
        name = f".{secrets.token_hex(8)}.part"
        try:
            self._folder.create(name, b"")
            return self._folder.modified(name) or self._clock.now()
        finally:
            self._folder.remove(name)


def _look(folder: Folder, machine: Machine, now: Callable[[], float]) -> Found | None:
    """The mark of a run in the folder, None where there is none or its run is dead."""
    folder.check_writable()  # else a file in the folder's place would be told as a mark that cannot be read
    try:
        content = folder.read(NAME, LARGEST)
    except ValueError:
        content = b""
    except PlatformError as error:  # a folder of that name, for example
        raise PlatformError(f"{error}; remove it if no run writes to OUTPUT") from None
    modified = None if content is None else folder.modified(NAME)
    if content is None or modified is None:
        return None
    found = lock_file.from_bytes(content)
    is_alive = None if found is None else machine.is_alive(found)
    age = max(now() - modified, 0.0) if not is_alive else 0.0  # a clock that was set back may date it later
    if is_alive is False or (is_alive is None and age >= STALE):
        return None
    return Found(found, modified, age, bool(is_alive))

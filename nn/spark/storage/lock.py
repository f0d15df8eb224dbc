"""Lock OUTPUT while a run writes there: the lock file OUTPUT/_RUNNING, written again every 30 s.

A run creates the file before it reads data and removes it at its end. Another run refuses an OUTPUT with a lock file,
unless the file's owner is dead: its process no longer runs, or the file was not written for two minutes. The age of the
file is measured by the clock of its file system, since the clocks of two machines may differ.
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
from nn.spark.storage.lock_file import MAX_BYTES, NAME, RENEWAL, STALE, Machine, Owner

POLL = 2.0  # seconds between two looks at another run's lock file
ATTEMPTS = 3  # to create the file, where other runs remove and create it at the same time
TRUSTED = 2 * RENEWAL  # seconds that a run goes on writing after it last read its own lock file
JOIN_TIMEOUT = 5.0  # seconds to wait for the end of the renewing thread


class Clock(NamedTuple):
    """How to measure time; tests have their own."""

    now: Callable[[], float] = time.time  # goes on while the machine sleeps
    sleep: Callable[[float], None] = time.sleep


class OtherRun(NamedTuple):
    """The owner of a lock file that is not known to be dead."""

    owner: Owner | None  # None: the file's content is not valid
    modified: float  # by the clock of the file system
    age: float  # seconds since then
    is_alive: bool  # whether the process is known to run

    def refusal(self, path: str) -> str:
        """Return the message that refuses to write to `path`, and says what to do."""
        owner = self.owner.description if self.owner else f"{NAME} names no process"
        if self.is_alive:
            advice = "wait for its end, or choose another OUTPUT"
        else:
            advice = (
                f"{NAME} was last written {self.age:.0f} s ago; if that run has ended, give the same command again in "
                f"{max(STALE - self.age, 1):.0f} s"
            )
        return f"OUTPUT: another run writes to {path}: {owner}; {advice}"


def refuse_running(
    folder: Folder, machine: Machine | None = None, now: Callable[[], float] = time.time
) -> None:
    """Raise UsageError where another run writes to the folder. Nothing is written, so `now` is the clock."""
    other = _other_run(folder, machine or lock_file.this_machine(), now)
    if other is not None:
        raise UsageError(other.refusal(folder.path))


@contextmanager
def locked(
    folder: Folder,
    check: Callable[[], None],
    waits: bool,
    print_line: Callable[[str], None],
    machine: Machine | None = None,
    clock: Clock | None = None,
) -> Iterator[None]:
    """Hold the lock of a folder. `check` raises where this run may not write there for another reason.

    Where `waits`, wait until a run on another machine, which may be dead, is known to be dead. Raises UsageError where
    another run is alive.
    """
    lock = Lock(folder, machine or lock_file.this_machine(), clock or Clock())
    lock.wait_or_refuse(waits, print_line)
    check()
    created = folder.missing()
    try:
        lock.acquire()
        check()  # again, since another run may have ended meanwhile
        folder.before_change = lock.confirm
        lock.start_renewing()
        yield
    finally:
        folder.before_change = lambda: None  # first: it waits for a renewal, which may hang
        lock.release()
        folder.drop(created)


class Lock:
    """The lock of a folder, with this process as its owner."""

    def __init__(self, folder: Folder, machine: Machine, clock: Clock):
        self._folder, self._machine, self._clock = folder, machine, clock
        self._owner = lock_file.this_process(machine)
        self._content = self._owner.to_bytes()
        self._mutex = threading.Lock()  # of the main thread and the renewing thread
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._confirmed: float | None = None  # when the file was last read and was this run's
        self._lost: OutputLostError | None = None

    def wait_or_refuse(self, waits: bool, print_line: Callable[[str], None]) -> None:
        """Return once no other run writes to the folder. Raises UsageError where one does."""
        other = self._other_run()
        if other is not None and not other.is_alive and waits:
            other = self._wait_until_stale(other, print_line)
        if other is not None:
            raise UsageError(other.refusal(self._folder.path))

    def _wait_until_stale(self, other: OtherRun, print_line: Callable[[str], None]) -> OtherRun | None:
        """Wait until a lock file is too old. Return its owner where the file is written again meanwhile, else None."""
        owner = other.owner.description if other.owner else "a run that it does not name"
        seconds = STALE - other.age + POLL  # some file systems round times to whole seconds
        print_line(
            f"waiting   {seconds:.0f} s at most: {self._folder.path}/{NAME} was written {other.age:.0f} s ago by "
            f"{owner}, which counts as dead if it does not write it again; Ctrl-C ends the waiting"
        )
        until = self._clock.now() + seconds
        while (remaining := until - self._clock.now()) > 0:
            self._clock.sleep(min(POLL, remaining))
            modified = self._folder.modified(NAME)
            if modified is None:
                return None
            if modified != other.modified:
                return self._other_run()
        return None

    def acquire(self) -> None:
        """Create the lock file, in place of a dead owner's. Raises UsageError where another run is faster."""
        for _ in range(ATTEMPTS):
            # Its content decides: a store may write the file and lose its answer, and refuse the second attempt.
            self._folder.create(NAME, self._content)
            if self._read() == self._owner:
                return
            other = self._other_run()
            if other is not None:
                raise UsageError(other.refusal(self._folder.path))
            self._folder.remove(NAME)
        raise PlatformError(f"cannot create {self._folder.path}/{NAME}: other runs create it again and again")

    def start_renewing(self) -> None:
        """Write the file again every 30 s, in a thread."""
        self._thread = threading.Thread(target=self._renew_until_ended, name="renewing OUTPUT", daemon=True)
        self._thread.start()

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(RENEWAL):
            with suppress(Exception):  # a file system that does not answer now may do so the next time
                self.renew()

    def renew(self) -> None:
        """Write the file again, if this run still owns it."""
        with self._mutex:
            if not self._ended.is_set() and self._is_owned():
                self._folder.rewrite(NAME, self._content)

    def confirm(self) -> None:
        """Raise OutputLostError where another run owns the file, which is read only if that is a while ago."""
        with self._mutex:
            is_trusted = self._confirmed is not None and 0 <= self._clock.now() - self._confirmed < TRUSTED
            if not self._lost and not is_trusted:
                self._is_owned()
        if self._lost:
            raise self._lost

    def _is_owned(self) -> bool:
        """Return whether this run owns the file. A file that was removed is created again."""
        if self._lost:
            return False
        now = self._clock.now()
        owner = self._read()
        if owner is None:
            self._folder.create(NAME, self._content)
            owner = self._read()
        if owner is not None and owner != self._owner:
            self._lost = OutputLostError(
                f"OUTPUT: another run writes to {self._folder.path}: {owner.description}; it treated this run as dead, "
                f"because {NAME} was not written for {STALE:.0f} s; this run has stopped and writes no more"
            )
            return False
        self._confirmed = now
        return True

    def release(self) -> None:
        """Remove the file, if this run owns it."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(JOIN_TIMEOUT)
        # An error here must not hide that of the run; a file that stays counts as a dead run's.
        with suppress(Exception):
            if self._read() == self._owner:
                self._folder.remove(NAME)

    def _read(self) -> Owner | None:
        with suppress(ValueError):
            return lock_file.from_bytes(self._folder.read(NAME, MAX_BYTES) or b"")
        return None

    def _other_run(self) -> OtherRun | None:
        return _other_run(self._folder, self._machine, self._file_system_time)

    def _file_system_time(self) -> float:
        """Return the time by the clock of the folder's file system, by which it dates a new file."""
        name = f".{secrets.token_hex(8)}.part"
        try:
            self._folder.create(name, b"")
            return self._folder.modified(name) or self._clock.now()
        finally:
            self._folder.remove(name)


def _other_run(folder: Folder, machine: Machine, now: Callable[[], float]) -> OtherRun | None:
    """Return the owner of the folder's lock file; None where there is no such file or its owner is dead."""
    folder.check_writable()  # first: a file in the folder's place would be reported as an unreadable lock file
    try:
        content = folder.read(NAME, MAX_BYTES)
    except ValueError:
        content = b""
    except PlatformError as error:  # a folder of that name, for example
        raise PlatformError(f"{error}; remove it if no run writes to OUTPUT") from None
    modified = None if content is None else folder.modified(NAME)
    if content is None or modified is None:
        return None
    owner = lock_file.from_bytes(content)
    is_alive = None if owner is None else machine.is_alive(owner)
    age = 0.0 if is_alive else _age(now() - modified)
    if is_alive is False or (is_alive is None and age >= STALE):
        return None
    return OtherRun(owner, modified, age, bool(is_alive))


def _age(seconds: float) -> float:
    """Return the age of a file. Its date lies ahead where a clock was set back; a run that lives dates it anew soon."""
    return 0.0 if -STALE < seconds < 0 else abs(seconds)

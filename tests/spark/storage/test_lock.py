"""OUTPUT/_RUNNING: one run at a time writes to OUTPUT, and one that is dead keeps nobody out."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from nn.core.errors import OutputLostError, PlatformError, Terminated, UsageError
from nn.spark.storage import lock, lock_file
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.lock import Clock, Lock, locked, refuse_running
from nn.spark.storage.lock_file import NAME, STALE, Machine, Owner

HERE = Machine("here", "boot", "pid:[1]", {os.getpid(): 70, 7: 50, 8: 0}.get)
OTHER = Owner("there", "boot", "pid:[1]", 7, 50, "2026-11-29T10:12:03+00:00", "other")


class Time:
    """A clock that goes on only while somebody sleeps; `during` is called with each sleep's end."""

    def __init__(self, during=lambda now: None):
        self.at, self.during = time.time(), during

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds
        self.during(self.at)


class Folder(LocalFolder):
    """A folder on a file system with the clock of the test; it counts the files that are removed."""

    def __init__(self, path, clock):
        super().__init__(str(path))
        self.clock = clock

    def create(self, name, content):
        made = super().create(name, content)
        if made:
            self.date(name, 0)
        return made

    def rewrite(self, name, content):
        super().rewrite(name, content)
        self.date(name, 0)

    def date(self, name, age):
        os.utime(os.path.join(self.path, name), (self.clock.at - age,) * 2)


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def folder(tmp_path, clock):
    return Folder(tmp_path / "out", clock)


def with_lock_file(folder, content, age=0.0):
    """The folder with a lock file that was written so many seconds ago."""
    folder.create(NAME, content if isinstance(content, bytes) else content.to_bytes())
    folder.date(NAME, age)
    return folder


def owner(folder):
    """The token in the folder's lock file."""
    return lock_file.from_bytes(folder.read(NAME, 1 << 12)).token


def printed():
    lines = []
    return lines, lines.append


@contextmanager
def running(folder, waits=False, say=print, check=lambda: None, machine=HERE):
    """A run in the folder, whose thread does not renew by itself."""
    with locked(folder, check, waits, say, machine, Clock(folder.clock.now, folder.clock.sleep)):
        yield


# ---- what the file says ----


def test_a_lock_file_says_which_process_writes_and_is_read_back():
    machine = lock_file.this_machine()
    mine = lock_file.this_process(machine)
    assert lock_file.from_bytes(mine.to_bytes()) == mine
    assert (mine.process, machine.is_alive(mine)) == (os.getpid(), True)
    assert mine.description.startswith(f"process {os.getpid()} on {machine.host}, since 20")
    assert lock_file.this_process(machine).token != mine.token


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"3", b'"text"', b"{}", b"\xff\xfe", b"[" * 5000]
    + [
        json.dumps({**OTHER._asdict(), **change}).encode()
        for change in ({"host": "a\nerror: b"}, {"host": 3})
    ]
    + [json.dumps({**OTHER._asdict(), **change}).encode() for change in ({"process": "7"}, {"process": -1})]
    + [json.dumps({**OTHER._asdict(), **change}).encode() for change in ({"since": "now"}, {"more": 1})]
    + [json.dumps({**OTHER._asdict(), "since": "0001-01-01T00:00:00+14:00"}).encode()],
)
def test_another_content_is_no_owner(content):
    assert lock_file.from_bytes(content) is None


@pytest.mark.parametrize(
    ("change", "alive"),
    [
        ({"host": "here"}, True),
        ({"host": "here", "started": 51}, False),  # another process got its number
        ({"host": "here", "process": 9}, False),
        ({"host": "here", "process": 8}, None),  # a process whose start the system does not say
        ({"host": "here", "started": 0}, None),
        ({}, None),
        ({"host": "here", "boot": "before"}, None),  # perhaps another machine of that name
        ({"host": "here", "namespace": "pid:[2]"}, None),  # another container on this machine
    ],
)
def test_a_process_is_known_to_run_or_not_only_where_its_number_counts(change, alive):
    assert HERE.is_alive(OTHER._replace(**change)) is alive


def test_a_process_that_ended_does_not_run_even_while_its_parent_has_not_noticed():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert lock_file.start_time(process.pid) > lock_file.start_time(os.getpid()) > 0
    process.kill()
    until = time.monotonic() + 10
    while lock_file.start_time(process.pid) is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert lock_file.start_time(process.pid) is None  # a zombie
    process.communicate()
    assert lock_file.start_time(process.pid) is None


def test_a_system_without_proc_says_whether_a_process_runs(monkeypatch):
    monkeypatch.setattr(lock_file, "_read_text", lambda path: "")
    assert lock_file.start_time(os.getpid()) == 0
    assert lock_file.start_time(2**22 + 1) is None and lock_file.start_time(2**61) == 0
    machine = lock_file.this_machine()
    assert machine.boot and machine.is_alive(lock_file.this_process(machine)) is None  # its age tells


# ---- one run at a time ----


def test_a_run_locks_its_folder_and_leaves_nothing_behind(folder, tmp_path):
    with running(folder):
        assert folder.names() == [NAME]
        assert lock_file.from_bytes(folder.read(NAME, 1 << 12)).process == os.getpid()
    assert list(tmp_path.iterdir()) == []
    folder.write("history.csv", b"")
    with running(folder):
        assert folder.names() == [NAME, "history.csv"]
    assert folder.names() == ["history.csv"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, Terminated, SystemExit])
def test_a_run_that_fails_removes_its_lock_file(folder, tmp_path, error):
    with pytest.raises(error), running(folder):
        raise error
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_is_refused_before_and_after_the_lock_file_is_made(folder, tmp_path):
    seen = []

    def check():
        seen.append(folder.names())
        if len(seen) == 2:
            raise UsageError("no longer empty")

    with pytest.raises(UsageError, match="no longer empty"), running(folder, check=check):
        pass
    assert seen == [[], [NAME]] and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("waits", [False, True])
def test_a_run_whose_process_runs_here_is_never_replaced(folder, waits):
    # It may not have renewed its lock file for long: the machine slept.
    with_lock_file(folder, OTHER._replace(host="here"), age=10 * STALE)
    began = "since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:03"
    message = f"^OUTPUT: another run writes to {folder.path}: process 7 on here, {began}; wait for its end, or choose"
    with pytest.raises(UsageError, match=message), running(folder, waits):
        pass
    assert owner(folder) == "other" and folder.names() == [NAME]


@pytest.mark.parametrize("dead", [{"process": 9}, {"started": 51}])
def test_a_run_whose_process_is_dead_is_replaced_at_once(folder, dead):
    with_lock_file(folder, OTHER._replace(host="here", **dead))
    lines, say = printed()
    with running(folder, waits=True, say=say):
        assert owner(folder) != "other"
    assert lines == [] and folder.names() == []


@pytest.mark.parametrize("content", [OTHER, b"", b"mine"])
def test_a_run_elsewhere_is_replaced_once_its_lock_file_is_two_minutes_old(folder, content):
    with_lock_file(folder, content, age=STALE - 1)
    with (
        pytest.raises(
            UsageError, match="_RUNNING was last written 119 s ago; if that run has ended, .* in 1 s"
        ),
        running(folder),
    ):
        pass
    folder.date(NAME, STALE + 1)
    with running(folder):
        assert owner(folder) != "other"
    assert folder.names() == []


@pytest.mark.parametrize(
    ("age", "seen", "wait"), [(STALE - 0.3, 120, 1), (-100, 0, 120), (1 - STALE, 0, 120), (0, 0, 120)]
)
def test_a_lock_file_says_its_age_and_when_to_come_again(folder, age, seen, wait):
    with_lock_file(folder, OTHER, age)
    expected = f"_RUNNING was last written {seen} s ago; if that run has ended, .* in {wait} s$"
    with pytest.raises(UsageError, match=expected), running(folder):
        pass


@pytest.mark.parametrize("age", [STALE, -STALE, -3600])
def test_a_lock_file_of_two_minutes_ago_or_far_ahead_is_replaced(folder, age):
    with_lock_file(folder, OTHER, age)
    with running(folder):
        assert owner(folder) != "other"


def test_ages_are_taken_by_the_clock_of_the_file_system(folder, clock):
    fast = Clock(lambda: clock.at + 1000, clock.sleep)
    with_lock_file(folder, OTHER, age=STALE - 10)
    with pytest.raises(UsageError), locked(folder, print, False, print, HERE, fast):
        pass


def test_resuming_waits_for_a_lock_file_to_become_old(folder):
    with_lock_file(folder, OTHER, age=45)
    began = folder.clock.at
    lines, say = printed()
    with running(folder, waits=True, say=say):
        assert STALE - 45 <= folder.clock.at - began <= STALE - 45 + lock.POLL
    (line,) = lines
    assert re.match(
        rf"waiting   77 s at most: {folder.path}/_RUNNING was written 45 s ago by process 7 on there, since .*, which "
        "counts as dead if .*; Ctrl-C ends the waiting$",
        line,
    )


def test_resuming_refuses_a_run_that_writes_its_lock_file_meanwhile(folder):
    with_lock_file(folder, OTHER, age=45)
    began = folder.clock.at
    folder.clock.during = lambda now: now > began + 20 and folder.rewrite(NAME, OTHER.to_bytes())
    with (
        pytest.raises(UsageError, match="another run writes to .*: process 7 on there"),
        running(folder, waits=True),
    ):
        pass
    assert folder.clock.at < began + 25 and owner(folder) == "other"


def test_resuming_refuses_a_run_whose_clock_was_set_back_meanwhile(folder):
    with_lock_file(folder, OTHER, age=45)
    began = folder.clock.at
    folder.clock.during = lambda now: now > began + 20 and folder.date(NAME, 100)
    with pytest.raises(UsageError, match="process 7 on there"), running(folder, waits=True):
        pass
    assert folder.clock.at < began + 25


def test_resuming_goes_on_when_the_other_run_ends_meanwhile(folder):
    with_lock_file(folder, OTHER, age=1)
    began = folder.clock.at
    folder.clock.during = lambda now: folder.remove(NAME)
    with running(folder, waits=True):
        assert folder.clock.at < began + 5


def test_ctrl_c_ends_the_waiting(folder):
    def strike(now):
        raise KeyboardInterrupt

    with_lock_file(folder, OTHER)
    folder.clock.during = strike
    with pytest.raises(KeyboardInterrupt), running(folder, waits=True):
        pass
    assert owner(folder) == "other"


def test_a_folder_of_that_name_is_told_in_a_line(folder):
    os.makedirs(os.path.join(folder.path, NAME))
    with (
        pytest.raises(PlatformError, match="cannot read .*_RUNNING: Is a directory; remove it if no run"),
        running(folder),
    ):
        pass


def test_of_many_runs_that_begin_at_once_one_goes_on(tmp_path):
    begin, end, ended = threading.Barrier(8), threading.Event(), []

    def run():
        begin.wait()
        try:
            with locked(LocalFolder(str(tmp_path / "out")), lambda: None, False, print):
                ended.append("ran")
                end.wait(10)
        except UsageError:
            ended.append("refused")
        finally:
            if len(ended) == 8:
                end.set()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(ended) == ["ran"] + ["refused"] * 7
    # One that was refused may have made the folder, which is empty then and may stay.
    assert LocalFolder(str(tmp_path / "out")).names() == []


def test_a_lock_file_whose_write_was_not_answered_is_the_run_s_own(folder, monkeypatch):
    monkeypatch.setattr(
        folder, "create", lambda name, content: Folder.create(folder, name, content) and False
    )
    with running(folder):
        assert lock_file.from_bytes(folder.read(NAME, 1 << 12)).process == os.getpid()
        folder.write("history.csv", b"mine")
    assert folder.names() == ["history.csv"]


def test_looking_tells_a_run_and_writes_nothing(folder, tmp_path):
    refuse_running(folder, HERE)
    with_lock_file(folder, OTHER, age=1)
    before = os.stat(folder.path).st_mtime_ns
    with pytest.raises(UsageError, match="another run writes to"):
        refuse_running(folder, HERE)
    assert os.stat(folder.path).st_mtime_ns == before
    folder.date(NAME, STALE + 1)
    refuse_running(folder, HERE)
    assert owner(folder) == "other"


# ---- a lock file that is renewed, and one that is lost ----


def test_a_lock_file_is_renewed_while_the_run_goes_on(folder, monkeypatch):
    monkeypatch.setattr(lock, "RENEWAL", 0.01)
    with running(folder):
        folder.date(NAME, 100)
        until = time.monotonic() + 10
        while folder.modified(NAME) < folder.clock.at - 1 and time.monotonic() < until:
            time.sleep(0.01)
        assert folder.modified(NAME) > folder.clock.at - 1
    assert not any(thread.name == "renewing OUTPUT" for thread in threading.enumerate())


def test_a_lock_file_that_was_removed_is_made_again(folder):
    own_lock = Lock(folder, HERE, Clock(folder.clock.now, folder.clock.sleep))
    own_lock.acquire()
    folder.remove(NAME)
    own_lock.renew()
    assert folder.names() == [NAME]
    folder.rewrite(NAME, b"damaged")
    own_lock.renew()
    assert lock_file.from_bytes(folder.read(NAME, 1 << 12)).process == os.getpid()


def test_a_lock_file_that_another_run_creates_first_is_not_taken_for_the_run_s_own(folder, monkeypatch):
    own_lock = Lock(folder, HERE, Clock(folder.clock.now, folder.clock.sleep))
    own_lock.acquire()
    folder.remove(NAME)

    def create(name, content):
        Folder.create(folder, name, OTHER.to_bytes())
        return False

    monkeypatch.setattr(folder, "create", create)
    with pytest.raises(OutputLostError, match="process 7 on there"):
        own_lock.confirm()
    assert owner(folder) == "other"


def test_a_run_that_was_taken_for_dead_stops_writing_and_leaves_the_other_its_files(folder, clock):
    with pytest.raises(OutputLostError) as caught, running(folder):
        folder.write("history.csv", b"mine")
        clock.at += 3600  # the machine sleeps, and another one takes over
        folder.rewrite(NAME, OTHER.to_bytes())
        LocalFolder(folder.path).write("history.csv", b"theirs")
        for change in (lambda: folder.write("history.csv", b"mine"), lambda: folder.remove("history.csv")):
            with pytest.raises(OutputLostError):
                change()
        folder.write("history.csv", b"mine")
    assert caught.value.exit_code == 4 and "\n" not in str(caught.value)
    assert re.match(
        "OUTPUT: another run writes to .*: process 7 on there, since .*; it treated this run as dead",
        str(caught.value),
    )
    assert folder.read("history.csv", 10) == b"theirs" and owner(folder) == "other"


def test_a_run_that_lost_its_lock_does_not_take_it_again(folder, clock):
    own_lock = Lock(folder, HERE, Clock(folder.clock.now, folder.clock.sleep))
    own_lock.acquire()
    folder.rewrite(NAME, OTHER.to_bytes())
    with pytest.raises(OutputLostError):
        own_lock.confirm()
    folder.remove(NAME)
    own_lock.renew()
    assert folder.names() == []


def test_a_run_that_has_ended_writes_its_lock_file_no_more_and_knows_nothing_of_others(folder, clock):
    own_lock = Lock(folder, HERE, Clock(folder.clock.now, folder.clock.sleep))
    own_lock.acquire()
    own_lock.release()
    own_lock.renew()
    assert folder.names() == []
    with running(folder):
        pass
    with_lock_file(folder, OTHER)
    clock.at += 3600
    folder.write("history.csv", b"")


def test_the_error_of_a_run_is_not_hidden_by_one_of_its_lock_file(folder, monkeypatch):
    def unreadable(name, most):
        raise PlatformError("no answer")

    with pytest.raises(ZeroDivisionError), running(folder):
        monkeypatch.setattr(folder, "read", unreadable)
        raise ZeroDivisionError


def test_a_renewal_that_hangs_keeps_no_run_from_ending(folder, monkeypatch):
    monkeypatch.setattr(lock, "RENEWAL", 0.01)
    monkeypatch.setattr(lock, "JOIN_TIMEOUT", 0.1)
    hangs, goes_on = threading.Event(), threading.Event()
    monkeypatch.setattr(folder, "rewrite", lambda name, content: hangs.set() or goes_on.wait(60))
    with running(folder):
        assert hangs.wait(60)
    assert not goes_on.is_set() and folder.names() == []
    goes_on.set()


def test_the_first_write_of_a_run_reads_its_lock_file_and_the_next_ones_do_not(folder, clock):
    reads = []
    folder.read = lambda name, most: reads.append(name) or LocalFolder.read(folder, name, most)
    with running(folder):
        del reads[:]
        for _ in range(3):
            folder.write("history.csv", b"")
        assert reads == [NAME]
        clock.at += lock.TRUSTED
        folder.write("history.csv", b"")
        assert reads == [NAME] * 2
        clock.at -= 3600  # a clock that was set back tells nothing
        folder.write("history.csv", b"")
        assert reads == [NAME] * 3


def test_a_signal_ends_a_run_and_its_lock_file(tmp_path):
    program = (
        "import signal, sys, time\n"
        "from nn.cli import entry\n"
        "from nn.spark.storage.lock import locked\n"
        "from nn.spark.storage.filesystem import LocalFolder\n"
        "def main(out):\n"
        "    with locked(LocalFolder(out), lambda: None, False, print):\n"
        "        print('begun', flush=True)\n"
        "        time.sleep(60)\n"
        "sys.exit(entry.run('program', lambda words: words[0], main))\n"
    )
    for number, code in ((signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)):
        words = [sys.executable, "-c", program, str(tmp_path / "out")]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout.readline() == b"begun\n"
        with pytest.raises(UsageError, match=f"process {process.pid} on"):
            refuse_running(LocalFolder(str(tmp_path / "out")))
        process.send_signal(number)
        assert process.wait(20) == code
        process.stdout.close()
        assert (tmp_path / "out" / NAME).exists() == (number == signal.SIGKILL)
    refuse_running(LocalFolder(str(tmp_path / "out")))

"""Whatever ends a program early is one line and an exit code."""

import errno
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from nn.cli import entry
from nn.core.errors import DataError, DivergenceError, HungUp, PlatformError, Terminated, UsageError, add_hint
from tests.support import ROOT

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class JavaError(Exception):
    """As py4j's: the message hides in a Java exception."""

    class java_exception:  # noqa: N801
        @staticmethod
        def getMessage():  # noqa: N802
            return (
                "Job aborted due to stage failure: Task 0 in stage 3.0 failed 1 times\n"
                "Traceback (most recent call last):\n"
                '  File "worker.py", line 830, in main\n'
                "ModuleNotFoundError: No module named 'scipy'\n"
                "\tat org.apache.spark.api.python.BasePythonRunner"
            )


def end_with(error, monkeypatch, *words):
    def main(options):
        raise error

    monkeypatch.setattr(sys, "argv", ["prog.py", *words])
    return entry.run("prog.py", list, main)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError, 2),
        (DataError, 3),
        (PlatformError, 4),
        (DivergenceError, 5),
        (KeyError, 1),
        (MemoryError, 4),
        (KeyboardInterrupt, 130),
        (Terminated, 143),
        (HungUp, 129),
    ],
)
def test_door_gives_each_end_its_code_and_one_line(error, code, monkeypatch, capsys):
    assert end_with(error("what came"), monkeypatch) == code
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("prog.py: ") and err.count("\n") == 1


def test_door_tells_what_to_try_by_options(monkeypatch, capsys):
    assert end_with(DivergenceError("the cost is inf", learning_rate=0.01), monkeypatch) == 5
    assert capsys.readouterr().err == "prog.py: error: the cost is inf; try --learning-rate 0.01\n"


@pytest.mark.parametrize(("debug", "traces"), [(True, 1), (False, 0)])
def test_whether_a_trace_is_shown_is_what_the_options_come_to(monkeypatch, capsys, debug, traces):
    def main(options):
        raise DataError("bad")

    monkeypatch.setattr(sys, "argv", ["prog.py", *(["--debug", "--no-debug"] if not debug else [])])
    assert entry.run("prog.py", lambda words: SimpleNamespace(debug=debug), main) == 3
    assert capsys.readouterr().err.count("Traceback") == traces


def test_door_tells_a_fault_of_the_machine_by_its_place(monkeypatch, capsys):
    assert end_with(OSError(errno.ENOSPC, "No space left on device", "/tmp/x.zip"), monkeypatch) == 4
    assert capsys.readouterr().err.startswith("prog.py: error: /tmp/x.zip: No space left on device; --debug")


def test_door_says_nothing_to_a_reader_that_is_gone(monkeypatch, capsys):
    assert end_with(BrokenPipeError(), monkeypatch) == 1
    assert capsys.readouterr() == ("", "")


def test_door_lets_no_text_end_its_line_or_steer_the_terminal(monkeypatch, capsys):
    end_with(DataError("a\nprog.py: done\x1b[2J\r\udc80é" + "x" * 9999), monkeypatch)
    error_line = capsys.readouterr().err
    assert error_line.startswith("prog.py: error: a\\nprog.py: done\\x1b[2J\\r\\udc80éxxx")
    assert error_line.count("\n") == 1 and len(error_line) < 2100


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_the_program_says_how_it_ended_changes_nothing(number, monkeypatch, capsys):
    monkeypatch.setattr(entry, "_await_end_of_reader", lambda seconds: os.kill(os.getpid(), number))
    error = KeyboardInterrupt()
    add_hint(error, "go on")
    assert end_with(error, monkeypatch) == 130
    assert capsys.readouterr().err == "prog.py: interrupted; go on\n"
    monkeypatch.setattr(sys, "argv", ["prog.py"])
    assert entry.run("prog.py", list, lambda options: None) == 0
    os.kill(os.getpid(), number)


def test_door_names_what_failed_on_an_executor(monkeypatch, capsys):
    assert end_with(JavaError(), monkeypatch) == 4
    assert "ModuleNotFoundError: No module named 'scipy'; --debug shows all" in capsys.readouterr().err


def test_door_translates_a_known_cause_with_the_trace_as_well(monkeypatch, capsys):
    error = Exception("An error occurred while calling")
    error.java_exception = SimpleNamespace(getMessage=lambda: 'Cannot run program "p": error=2')
    assert end_with(error, monkeypatch, "--debug") == 4
    shown = capsys.readouterr().err
    assert (
        "Traceback" in shown and "prog.py: error: expected the Python p on the executors, found none" in shown
    )


def test_door_shows_the_trace_when_asked(monkeypatch, capsys):
    end_with(DataError("bad"), monkeypatch, "--debug")
    assert "Traceback" in capsys.readouterr().err


def test_door_returns_0_when_all_went_well(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["prog.py", "a", "b"])
    got = []
    assert entry.run("prog.py", list, got.append) == 0 and got == [["a", "b"]]


def test_door_shows_the_trace_when_a_configuration_file_asks(monkeypatch, capsys):
    def main(options):
        raise DataError("bad")

    monkeypatch.setattr(sys, "argv", ["prog.py"])
    assert entry.run("prog.py", lambda words: SimpleNamespace(debug=True), main) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (signal.SIGINT, "interrupted"),
        (signal.SIGTERM, "terminated"),
        (signal.SIGHUP, "terminal closed"),
    ],
)
def test_a_signal_ends_the_program_with_a_line_and_its_number(number, line, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prog.py"])
    monkeypatch.setattr(entry, "READER_ENDS", 0)

    def main(options):
        os.kill(os.getpid(), number)
        time.sleep(10)

    assert entry.run("prog.py", list, main) == 128 + number
    assert capsys.readouterr().err == f"prog.py: {line}\n"


def test_a_closed_terminal_is_nothing_where_that_is_ignored_at_the_start(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["prog.py"])
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert entry.run("prog.py", list, lambda options: os.kill(os.getpid(), signal.SIGHUP)) == 0


ENDS_UNREAD = """
import os, sys
from nn.cli import entry
from nn.core.errors import DataError

def main(asked):
    sys.stdout.write("not written yet")
    raise DataError("bad")

read, write = os.pipe()
os.dup2(write, 1)
os.dup2(write, 2)
os.close(read)
sys.argv = ["prog.py"]
sys.exit(entry.run("prog.py", list, main))
"""


def test_output_that_nobody_reads_any_more_changes_no_exit_code():
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    assert subprocess.run([sys.executable, "-c", ENDS_UNREAD], cwd=ROOT, env=env).returncode == 3

"""Whatever ends a program early is one line and an exit code."""

import sys
from types import SimpleNamespace

import pytest

from nn import door
from nn.errors import DataError, Diverged, EnvironmentFault, UsageError


class JavaError(Exception):
    """As py4j's: the message hides in a Java exception."""

    class java_exception:  # noqa: N801
        @staticmethod
        def getMessage():  # noqa: N802
            return (
                "Job aborted due to stage failure: Task 0 in stage 3.0 failed 1 times\n"
                "Traceback (most recent call last):\n"
                '  File "worker.py", line 830, in main\n'
                "ModuleNotFoundError: No module named 'numpy'\n"
                "\tat org.apache.spark.api.python.BasePythonRunner"
            )


def end_with(error, monkeypatch, *words):
    def main(asked):
        raise error

    monkeypatch.setattr(sys, "argv", ["prog.py", *words])
    return door.run("prog.py", list, main)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError, 2),
        (DataError, 3),
        (EnvironmentFault, 4),
        (Diverged, 5),
        (KeyError, 1),
        (KeyboardInterrupt, 130),
    ],
)
def test_door_gives_each_end_its_code_and_one_line(error, code, monkeypatch, capsys):
    assert end_with(error("what came"), monkeypatch) == code
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("prog.py: ") and err.count("\n") == 1


def test_door_names_what_failed_on_an_executor(monkeypatch, capsys):
    assert end_with(JavaError(), monkeypatch) == 4
    assert "ModuleNotFoundError: No module named 'numpy'; --debug shows all" in capsys.readouterr().err


def test_door_shows_the_trace_when_asked(monkeypatch, capsys):
    end_with(DataError("bad"), monkeypatch, "--debug")
    assert "Traceback" in capsys.readouterr().err


def test_door_returns_0_when_all_went_well(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["prog.py", "a", "b"])
    got = []
    assert door.run("prog.py", list, got.append) == 0 and got == [["a", "b"]]


def test_door_shows_the_trace_when_a_configuration_file_asks(monkeypatch, capsys):
    def main(asked):
        raise DataError("bad")

    monkeypatch.setattr(sys, "argv", ["prog.py"])
    assert door.run("prog.py", lambda words: SimpleNamespace(debug=True), main) == 3
    assert "Traceback" in capsys.readouterr().err

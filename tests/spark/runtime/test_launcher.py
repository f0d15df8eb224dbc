"""An error reaches spark-submit's own stderr, once, and the program's own where it has one."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nn.spark.runtime import launcher
from tests.support.submitting import MAIN, command, environment


class Stream:
    """Java's System.err."""

    def __init__(self, failed=False):
        self.written, self.failed = b"", failed

    def write(self, content, start, length):
        self.written += content[start : start + length]

    def checkError(self):  # noqa: N802 (Java's name)
        return self.failed


@pytest.fixture
def java(monkeypatch):
    """A function that puts a Java process with such a stream at the other end of one pipe for both streams."""

    def begin(stream):
        gateway = SimpleNamespace(jvm=SimpleNamespace(System=SimpleNamespace(err=stream)))
        monkeypatch.setattr("pyspark.java_gateway.launch_gateway", lambda: gateway)
        monkeypatch.setattr(launcher, "_share_a_pipe", lambda: True)
        monkeypatch.setattr(launcher, "_await_reader", lambda: None)
        monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
        return stream

    return begin


def test_the_line_is_given_to_java_byte_by_byte(java):
    stream = java(Stream())
    assert launcher.print_error("prog.py: error: é") is True
    assert stream.written == "prog.py: error: é\n".encode()


def test_what_java_does_not_take_is_left_to_the_program(java, monkeypatch):
    java(Stream(failed=True))
    assert launcher.print_error("x") is False
    java(None)
    assert launcher.print_error("x") is False
    java(Stream())
    monkeypatch.delenv("PYSPARK_GATEWAY_PORT")
    assert launcher.print_error("x") is False


@pytest.mark.parametrize(
    ("redirection", "shared"), [("2>&1 | cat", "True"), ("2>err | cat", "False"), ("", "False")]
)
def test_streams_that_a_user_directed_apart_are_left_alone(tmp_path, redirection, shared):
    code = "from nn.spark.runtime import launcher; print(launcher._share_a_pipe())"
    line = f'"$0" -c "{code}" {redirection}'
    env = {**os.environ, "PYTHONPATH": str(MAIN.parent)}
    with open(tmp_path / "out", "w") as out:
        subprocess.run(["sh", "-c", line, sys.executable], cwd=tmp_path, env=env, stdout=out, check=True)
    assert (tmp_path / "out").read_text().strip() == shared


@pytest.mark.spark
def test_an_error_is_on_the_stderr_of_spark_submit_once(tmp_path):
    done = subprocess.run(
        command(MAIN, "a", "-"), cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300
    )
    # Spark 3.5 logs below it how it ends.
    ours = [
        line for line in done.stderr.splitlines() if line.startswith("main_task.py: error: the following ")
    ]
    assert (done.returncode, done.stdout, len(ours)) == (2, "", 1), done.stderr
    assert done.stderr.count("main_task.py: error") == 1

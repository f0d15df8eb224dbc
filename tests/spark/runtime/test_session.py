"""How Spark is started and stopped: what goes wrong is one line, what a signal brought about is the signal."""

import errno
import itertools
import os
import sys
from types import SimpleNamespace

import pytest

from nn.core.errors import PlatformError, Terminated, add_hint, hint_of
from nn.spark.runtime import jvm, session
from tests.support.submitting import MAIN, submit

pytestmark = pytest.mark.spark


NUMBERS = itertools.count()


class Context:
    """One that calls no Java; what it does when it is stopped is told."""

    def __init__(self, stop=lambda: None):
        self._gateway = self._gateway_client = self._jvm = self
        self.stop = stop
        self.applicationId = f"local-{next(NUMBERS)}"
        self.sent = []

    def send_command(self, command):
        raise AssertionError("no Java here")

    def addPyFile(self, path):  # noqa: N802 (Spark's name)
        self.sent.append(path)


@pytest.fixture
def started(spark, monkeypatch):
    """A function that lets Spark start as it is told."""
    monkeypatch.setattr(jvm, "set_log_level", lambda context, level, silenced: None)

    def start(call):
        monkeypatch.setattr("pyspark.SparkContext.getOrCreate", lambda conf: call())
        return session.spark_context("test")

    return start


def amid(stop, error):
    """Raise what comes up while a signal's exception passes, as PySpark does."""
    try:
        raise stop
    except KeyboardInterrupt:
        raise error  # noqa: B904 (by itself Python remembers what it came up amid)


def test_the_package_is_sent_once_per_application():
    one, other = Context(), Context()
    for context in (one, other, one, one):
        session.ship_package(context)
    assert len(one.sent) == len(other.sent) == 1


def test_a_disk_without_room_for_the_package_is_one_line(monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("nn.io.package.temporary_zip", full)
    with pytest.raises(
        PlatformError,
        match="cannot write nn.zip to the folder for .* \\(TMPDIR\\): No space left on device",
    ):
        session.ship_package(Context())


def test_a_signal_while_spark_starts_is_no_fault_of_its_environment(started):
    stop = Terminated()
    with pytest.raises(Terminated) as caught, started(lambda: amid(stop, OSError("Answer is empty"))):
        pass
    assert caught.value is stop
    with (
        pytest.raises(PlatformError, match="^Spark did not start: division by zero$"),
        started(lambda: 1 / 0),
    ):
        pass


def test_an_error_that_a_signal_brought_about_is_the_signal_and_keeps_its_advice(started):
    stop = Terminated()
    with pytest.raises(Terminated) as caught, started(Context):
        try:
            amid(stop, UnboundLocalError("sockfile"))
        except UnboundLocalError as error:
            add_hint(error, "go on")
            raise
    assert caught.value is stop and hint_of(caught.value) == "go on"


class JavaError(Exception):
    """As py4j's."""

    java_exception = SimpleNamespace(getMessage=lambda: None)  # as of a NullPointerException


@pytest.mark.parametrize("stopped", [True, False])
def test_of_a_spark_that_stopped_by_itself_any_call_may_fail(started, stopped):
    context = Context()
    context._jsc = SimpleNamespace(sc=lambda: SimpleNamespace(isStopped=lambda: stopped))
    for error, kind in ((JavaError, PlatformError if stopped else JavaError), (KeyError, KeyError)):
        message = "Spark stopped by itself" if kind is PlatformError else None
        with pytest.raises(kind, match=message), started(lambda: context):
            raise error


def test_a_signal_while_spark_stops_changes_no_result(started):
    def stop():
        raise Terminated

    with started(lambda: Context(stop)):
        pass
    with pytest.raises(ZeroDivisionError), started(lambda: Context(stop)):
        1 / 0  # noqa: B018 (what the program died of is told)


def test_a_session_of_connect_is_one_line(started, monkeypatch):
    expected = "expected a classic Spark session, found {}=sc://host: Spark Connect has no RDDs; submit to"
    monkeypatch.setattr(
        "pyspark.SparkConf.get", lambda conf, key: "sc://host" if key == "spark.remote" else None
    )
    with pytest.raises(PlatformError, match=expected.format("spark.remote")), started(Context):
        pass
    monkeypatch.setenv("SPARK_REMOTE", "sc://host")
    with pytest.raises(PlatformError, match=expected.format("SPARK_REMOTE")), started(Context):
        pass


def test_spark_that_does_not_start_is_one_line(tmp_path):
    done = submit(MAIN, *"abcd", "out", cwd=tmp_path, master="local[x]")
    assert done.returncode == 4 and "\tat " not in done.stdout, done.stdout
    last = done.stdout.splitlines()[-1]
    assert last == "main_task.py: error: Spark did not start: Could not parse Master URL: 'local[x]'"


@pytest.mark.parametrize(
    ("master", "variable", "setting", "chosen"),
    [
        ("local[2]", None, None, sys.executable),
        ("local[2]", "/named/python", None, "/named/python"),
        ("local[2]", None, "/named/python", None),
        ("spark://host:7077", None, None, None),
    ],
)
def test_a_local_master_runs_its_tasks_on_this_python_unless_another_is_named(
    monkeypatch, master, variable, setting, chosen
):
    monkeypatch.setenv("PYSPARK_PYTHON", variable or "")
    if variable is None:
        monkeypatch.delenv("PYSPARK_PYTHON")
    values = {"spark.master": master, **({"spark.pyspark.python": setting} if setting else {})}
    session._choose_python(SimpleNamespace(get=values.get, contains=values.__contains__))
    assert os.environ.get("PYSPARK_PYTHON") == chosen
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)


@pytest.mark.parametrize(
    ("master", "expected"), [("local[2]", "true"), ("spark://x:7077", "true"), ("yarn", None)]
)
def test_workers_are_reached_through_a_unix_socket_where_its_path_is_short(spark, master, expected):
    from pyspark import SparkConf

    conf = session._with_settings(SparkConf(loadDefaults=False).setMaster(master), "test")
    assert conf.get(session.UNIX_SOCKETS, None) == expected

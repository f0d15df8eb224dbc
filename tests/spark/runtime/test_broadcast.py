"""A value for every executor, and a disk that has no place for it."""

import errno
import sys
import threading
from pickle import PicklingError
from types import SimpleNamespace

import pytest

from nn.core.errors import PlatformError
from nn.spark.runtime.broadcast import broadcast


def context_that_fails(cause):
    """One whose temporary files cannot be written."""
    pyspark = pytest.importorskip("pyspark")

    class File:
        def write(self, content):
            raise cause

    def dump(value):
        pyspark.Broadcast.dump(None, value, File())

    return SimpleNamespace(broadcast=dump, _temp_dir="/tmp/spark-1")


def test_a_full_disk_is_one_line(capsys):
    with pytest.raises(PlatformError, match="to /tmp/spark-1: No space left on device; free the disk"):
        broadcast(context_that_fails(OSError(errno.ENOSPC, "No space left on device")), [1])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "cause", [TypeError("no pickle"), ConnectionResetError(104, "reset"), TimeoutError()]
)
def test_what_is_not_the_disk_s_fault_is_not_called_so(cause):
    with pytest.raises(PicklingError):
        broadcast(context_that_fails(cause), [1])


def test_threads_that_broadcast_at_once_leave_stderr_as_it_is(capsys):
    """The second begins while the first is at it, and ends after it."""
    before, second_has_begun, first_has_ended = sys.stderr, threading.Event(), threading.Event()

    def first(value):
        second_has_begun.wait(0.3)

    def second(value):
        second_has_begun.set()
        print("seen", file=sys.stderr)
        first_has_ended.wait(0.3)

    def run(function, *ended):
        broadcast(SimpleNamespace(broadcast=function), 1)
        for event in ended:
            event.set()

    threads = [threading.Thread(target=run, args=args) for args in ((first, first_has_ended), (second,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.stderr is before and capsys.readouterr().err == "seen\n"


@pytest.mark.spark
def test_tasks_read_the_value(spark):
    handle = broadcast(spark, {"a": 1})
    assert spark.parallelize([0, 1], 2).map(lambda _: handle.value["a"]).collect() == [1, 1]
    handle.destroy()

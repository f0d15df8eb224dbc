"""A value for every executor, and a disk that has no place for it."""

import errno
import sys
from pickle import PicklingError
from types import SimpleNamespace

import pytest

from nn.core.errors import PlatformError
from nn.spark.runtime.broadcast import broadcast


def context_that_fails(cause):
    def dump(value):
        try:
            raise cause
        except Exception:
            print("a trace", file=sys.stderr)
            raise PicklingError("Could not serialize broadcast") from None

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


@pytest.mark.spark
def test_tasks_read_the_value(spark):
    handle = broadcast(spark, {"a": 1})
    assert spark.parallelize([0, 1], 2).map(lambda _: handle.value["a"]).collect() == [1, 1]
    handle.destroy()

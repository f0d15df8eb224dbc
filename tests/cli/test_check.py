"""--check: what it says of executors, data and room."""

import re

from nn.cli import check
from nn.cli.checked_data import data_faults
from nn.data.csv import LineError
from nn.spark.preflight import BlockSummary, ExecutorReport, FirstAndLast, Memory, WorkerReport
from nn.spark.runtime.cluster import Executor

GB = 1 << 30
WORKER = WorkerReport(0, 0, 11, "a", "3.11.2", "2.1.0", "0.1.0", "f00", "1", 2 * GB, 100 << 20, 0.0123, ())
GOOD = ExecutorReport(WORKER, Executor("1", 4, GB), 50_000_000)
END = BlockSummary(1024, 784, 0)
ENDS = FirstAndLast("TRAIN_IMAGES", 4, END, END._replace(rows=500), ("a.csv", "b.csv"), 500)


def of(**changes):
    """An executor like the good one but for what its Python says."""
    return GOOD._replace(worker=WORKER._replace(**changes))


def test_each_executor_is_a_line_under_a_header():
    strange = of(host="machine-b", free_memory=0, trial_seconds=None, unreadable=("/x",))._replace(
        executor=None, row_bytes=0
    )
    header, first, second = check.table([GOOD, strange], None)
    assert re.split("  +", header) == [*check.ABOUT, "step", *check.NEEDS]
    assert re.split("  +", first) == [
        *("1", "a", "3.11.2", "2.1.0", "0.1.0", "1", "4", "12.3 ms"),
        *("419 MB", "2.15 GB", "50 MB", "1.07 GB", "readable"),
    ]
    assert re.split("  +", second) == [
        *("?", "machine-b", "3.11.2", "2.1.0", "0.1.0", "1", "?", "?", "?", "?", "?", "?", "unreadable")
    ]
    assert header.index("inputs") == first.index("readable") == second.index("unreadable")


def test_a_long_step_is_in_seconds():
    _, line = check.table([of(trial_seconds=3.816)], None)
    assert re.split("  +", line)[7] == "3.82 s"


def test_nothing_is_wrong_with_executors_that_are_alike():
    assert check.faults([GOOD, of(host="b")], None) == [] == data_faults([ENDS])


def test_what_stands_in_the_way_is_said():
    others = [of(host="b", unreadable=("/x.csv",)), of(host="c", numpy="1.26.4")]
    unread, versions = check.faults([GOOD, *others], None)
    assert (
        unread == "b cannot read /x.csv: put it on every machine, or on a file system that all of them share"
    )
    assert versions.startswith("executors run different versions of numpy: 1.26.4, 2.1.0")


def test_processors_that_round_differently_are_named():
    (lines,) = check.faults([GOOD, of(host="b"), of(host="c", arithmetic="f01")], None)
    assert lines.startswith(
        "the processors or BLAS libraries of b and c round sums differently; a task that moves"
    )
    (lines,) = check.faults([GOOD, of(host="c", arithmetic="f01", numpy="1.26.4")], None)
    assert "versions of numpy" in lines


def test_what_is_wrong_with_the_data_is_said():
    fault = LineError(3, "784 values", "783 values")
    first, last = "TRAIN_IMAGES: a.csv, line 3", "TRAIN_IMAGES: b.csv, line 3"
    widths = "expected 784 values, found 783 values"
    ends = ENDS._replace(first=fault, last=fault)
    assert data_faults([ENDS, ends]) == [f"{first}: {widths}", f"{last} of the last 500: {widths}"]
    whole = ends._replace(tail=0)
    assert data_faults([whole]) == [f"{first}: {widths}", f"{last}: {widths}"]
    assert data_faults([whole._replace(files=("b.csv", "b.csv"))]) == [f"{last}: {widths}"]


def test_workers_that_need_more_than_there_is_are_a_problem():
    assert check.faults([of(free_memory=300_000_000)], None) == [
        "executor 1 on a: its workers need 419 MB, 300 MB are available beside the heap: give it fewer cores"
    ]
    (message,) = check.faults([GOOD], 384 << 20)
    assert message.endswith(
        "403 MB are available beside the heap: raise spark.executor.memoryOverhead or give it fewer cores"
    )
    assert check.faults([of(free_memory=0)], None) == []  # no one knows


def test_ends_and_room_are_lines():
    assert check.ends_line(ENDS) == (
        "data      TRAIN_IMAGES: 4 input splits; first block 1,024 rows of 784 values, last block 500 rows of 784 "
        "values"
    )
    assert "last block unreadable" in check.ends_line(ENDS._replace(last=LineError(1, "", "")))
    assert check.memory_line(Memory(47_000_000, 400_000_000)) == (
        "memory    rows need 47 MB, executors have 400 MB for them: they are cached in memory"
    )
    assert "on disk, which is slower" in check.memory_line(Memory(300_000_000, 400_000_000))

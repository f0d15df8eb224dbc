"""--check: what it says of executors, data and room."""

from nn import preflight
from nn.spark.checkup import Ends, Executor, Room
from nn.text import Fault

GOOD = Executor("a", 11, "3.11.2", "2.1.0", "0.1.0", "1", 4, 8 << 30, 2 << 30, ())
ENDS = Ends("TRAIN_IMAGES", 4, (1024, 784), (500, 784))


def test_each_executor_is_a_line_under_a_header():
    header, first, second = preflight.table([GOOD, GOOD._replace(host="machine-b", free=0, unread=("/x",))])
    assert header.split() == [
        "host",
        "process",
        "python",
        "numpy",
        "nn",
        "BLAS",
        "threads",
        "cores",
        "memory",
        "free",
        "inputs",
    ]
    assert first.split() == [
        "a",
        "11",
        "3.11.2",
        "2.1.0",
        "0.1.0",
        "1",
        "4",
        "8.59",
        "GB",
        "2.15",
        "GB",
        "readable",
    ]
    assert second.split()[0] == "machine-b" and second.split()[-2:] == ["unknown", "unreadable"]
    assert header.index("inputs") == first.index("readable") == second.index("unreadable")


def test_nothing_is_wrong_with_executors_that_are_alike():
    assert preflight.faults([GOOD, GOOD._replace(host="b")], [ENDS]) == []


def test_what_stands_in_the_way_is_said():
    others = [GOOD._replace(host="b", unread=("/x.csv",)), GOOD._replace(host="c", numpy="1.26.4")]
    ends = ENDS._replace(last=Fault(3, "784 values", "783 values"))
    unread, versions, fault = preflight.faults([GOOD, *others], [ends])
    assert (
        unread == "b cannot read /x.csv: put it on every machine, or on a file system that all of them share"
    )
    assert versions.startswith("executors run different versions of numpy: 1.26.4, 2.1.0")
    assert fault == "TRAIN_IMAGES: last block: expected 784 values, found 783 values"


def test_ends_and_room_are_lines():
    assert preflight.ends_line(ENDS) == (
        "data      TRAIN_IMAGES: 4 pieces; first block 1,024 rows of 784 values, last block 500 rows of 784 values"
    )
    assert "last block unreadable" in preflight.ends_line(ENDS._replace(last=Fault(1, "", "")))
    assert preflight.room_line(Room(47_000_000, 400_000_000)) == (
        "memory    rows need 47 MB, executors have 400 MB for them: they are kept in memory"
    )
    assert "on disk, which is slower" in preflight.room_line(Room(300_000_000, 400_000_000))

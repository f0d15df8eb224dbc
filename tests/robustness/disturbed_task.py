"""main_task.py, disturbed: DISTURBANCE=fail makes first attempts of tasks fail, =slow makes some of them wait, =evict
crowds cached rows out of memory, =none leaves it alone.

It is submitted in the place of main_task.py. Only what tasks do around the arithmetic is changed, never the arithmetic.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pyspark import StorageLevel

import main_task
from nn.cli import entry, parser
from nn.spark import backend

KIND = os.environ["DISTURBANCE"]
split_rows, sums = backend.SparkBackend.split, backend._sums


def disturbed(kind, index, elements):
    """The elements as they are, after a failure or a wait in some first attempts."""
    from pyspark import TaskContext

    context = TaskContext.get()
    elements = list(elements)
    first = context.attemptNumber() == 0
    if kind == "fail" and first and (context.stageId() + index) % 3 == 0:
        raise RuntimeError("a first attempt that fails on purpose")
    if kind == "slow" and first and context.stageId() % 5 == 0 and context.stageId() // 5 % 4 == index:
        time.sleep(3)
    return elements


def crowd(context):
    """Fill the memory for cached rows with others."""
    filler = context.parallelize(range(50), 50).map(lambda _: os.urandom(200_000))
    filler.persist(StorageLevel(False, True, False, True)).count()


def split_and_crowd(backend, split):
    """Split the rows, and crowd them out of memory."""
    split_rows(backend, split)
    crowd(backend.blocks.context)


def sums_disturbed(blocks, jobs, payloads):
    """The sums of jobs over blocks that are disturbed as they are read, from Spark's cache or from files."""
    return sums(blocks.mapPartitionsWithIndex(partial(disturbed, KIND)), jobs, payloads)


if __name__ == "__main__":
    if KIND == "evict":
        backend.SparkBackend.split = split_and_crowd
    elif KIND != "none":
        backend._sums = sums_disturbed
    sys.exit(entry.run("main_task.py", parser.parse, main_task.main))

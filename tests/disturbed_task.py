"""main_task.py whose tasks are disturbed: DISTURBANCE=fail makes first attempts fail, =slow makes some of them wait.

It is submitted in the place of main_task.py. Only what tasks do around the arithmetic is changed, never the arithmetic.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import main_task
from nn import commandline, door
from nn.spark import reading

learned_from = reading.learned_from


def disturbed(kind, index, elements):
    """The elements as they are, after a failure or a wait in some first attempts."""
    from pyspark import TaskContext

    context = TaskContext.get()
    elements = list(elements)
    first = context.attemptNumber() == 0
    if kind == "fail" and first and (context.stageId() + index) % 3 == 0:
        raise RuntimeError("a first attempt that fails on purpose")
    if kind == "slow" and first and (context.stageId() + index) % 4 == 0:
        time.sleep(3)
    return elements


def disturbed_blocks(dataset, split):
    """The blocks that are learned from, in tasks that are disturbed."""
    return learned_from(dataset, split).mapPartitionsWithIndex(partial(disturbed, os.environ["DISTURBANCE"]))


if __name__ == "__main__":
    reading.learned_from = disturbed_blocks
    sys.exit(door.run("main_task.py", commandline.parse, main_task.main))

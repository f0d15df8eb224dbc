"""List the executors of a cluster with their slots and their memory, and wait until all of them are registered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from nn.core.errors import PlatformError
from nn.spark.runtime import errors, jvm
from nn.spark.runtime.settings import is_true

NOTE_AFTER = 10.0  # seconds without any executor before the user gets a note
SETTLED_AFTER = 1.5  # seconds without a new executor before all are assumed to be there
MAX_WAIT = 30.0  # seconds to wait for more after the first executor, as Spark itself does on YARN
POLL = 0.05
MIN_OVERHEAD = 384 << 20  # bytes that YARN and Kubernetes add to the smallest heap
OVERHEAD_FACTORS = {"yarn": 0.1, "k8s": 0.4}  # of the heap: their defaults for Python programs


class Executor(NamedTuple):
    """One executor."""

    name: str  # Spark's; "driver" with a local master
    slots: int  # tasks that it runs at once
    storage: int  # free bytes for cached rows


def registered(context: Any) -> list[Executor]:
    """Return the executors that are registered now."""
    is_local = jvm.is_local(context)
    return [
        Executor(info.name, info.slots, info.free_storage)
        for info in jvm.executors(context)
        # The driver holds no rows, unless it is the executor too. One without storage has not reported it yet.
        if (is_local or info.name != "driver") and info.storage
    ]


def wait_for_executors(context: Any, print_line: Callable[[str], Any]) -> list[Executor]:
    """Return the executors once all of them are registered, so that each run has the same number of slots.

    Spark starts a job on the executors that are there. On a standalone cluster these are none at first, and Spark
    assumes two slots. Their number is known if `spark.executor.instances` is set; else the wait ends when no new
    executor registers for SETTLED_AFTER seconds. `print_line` prints a line where there is none for long.

    Raises PlatformError where Spark stops meanwhile.
    """
    if jvm.is_local(context):
        return registered(context)
    wanted = _wanted(context.getConf())
    if _is_dynamic(context.getConf()):
        threading.Thread(target=_wake, args=(context,), name="wake", daemon=True).start()
    # When the wait, then the first executor began; when the newest registered.
    began = newest = time.monotonic()
    executors: list[Executor] = []
    has_noted = False
    while True:
        if jvm.is_stopped(context):
            raise PlatformError(errors.STOPPED)
        now, previous, executors = time.monotonic(), len(executors), registered(context)
        if len(executors) > previous:
            if not previous:
                began = now
            newest = now
        if executors and _is_enough(len(executors), wanted, now - newest, now - began):
            return executors
        if not executors and not has_noted and now - began > NOTE_AFTER:
            has_noted = True
            print_line(
                f"waiting   {context.master} has given no executor for {NOTE_AFTER:.0f} s: it may be busy, or have no "
                "machine with as much memory and as many cores as one asks for; Ctrl-C ends the waiting"
            )
        time.sleep(POLL)


def _is_enough(count: int, wanted: int | None, since_newest: float, since_first: float) -> bool:
    """Return whether to stop waiting; the times are in seconds."""
    return since_first >= MAX_WAIT or (since_newest >= SETTLED_AFTER if wanted is None else count >= wanted)


def _wanted(conf: Any) -> int | None:
    """Return the number of executors that the user asked for; None where it is open."""
    if _is_dynamic(conf):
        return None
    count = conf.get("spark.executor.instances", "")
    return int(count) if count.isdigit() else None


def _is_dynamic(conf: Any) -> bool:
    """Return whether Spark requests executors only when there are tasks for them."""
    return is_true(conf.get("spark.dynamicAllocation.enabled"))


def _wake(context: Any) -> None:
    """Run a job of one task, without which Spark may request no executor. The next job reports the same errors."""
    context.setJobDescription("waking an executor")
    with suppress(Exception):
        context.parallelize([0], 1).count()


def worker_memory_limit(context: Any) -> int | None:
    """Return the bytes that all Python workers of an executor may use together; None: no such limit.

    YARN and Kubernetes kill an executor that uses more.
    """
    manager = next((name for name in OVERHEAD_FACTORS if context.master.startswith(name)), None)
    if manager is None:
        return None
    limit = jvm.size_in_bytes(context, "spark.executor.pyspark.memory", "0")
    if limit:
        return limit
    overhead = jvm.size_in_bytes(context, "spark.executor.memoryOverhead", "0")
    factor = float(
        context.getConf().get("spark.executor.memoryOverheadFactor", str(OVERHEAD_FACTORS[manager]))
    )
    heap = jvm.size_in_bytes(context, "spark.executor.memory", "1g")
    return overhead or max(MIN_OVERHEAD, int(factor * heap))

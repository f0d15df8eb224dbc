"""The executors of a cluster, as Spark's driver knows them: how many have come, and what room each has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from nn.core.errors import PlatformError
from nn.spark.runtime import errors, jvm

FIRST = 10.0  # seconds without any executor after which the user is told
STILL = 1.5  # seconds without a newcomer after which no more are waited for
LONGEST = 30.0  # seconds that the others are waited for once the first is there, as Spark itself does on YARN
POLL = 0.05
LEAST_OVERHEAD = 384 << 20  # bytes that YARN and Kubernetes leave beside the smallest heap
OVERHEADS = {"yarn": 0.1, "k8s": 0.4}  # of the heap, where nothing else is set; for Python programs


class Executor(NamedTuple):
    """One executor."""

    name: str  # Spark's; "driver" with a local master
    slots: int  # tasks that it runs at once
    storage: int  # bytes that it has left for cached rows


def registered(context: Any) -> list[Executor]:
    """The executors that are there now."""
    is_local = jvm.is_local(context)
    return [
        Executor(info.name, info.slots, info.free_storage)
        for info in jvm.executors(context)
        # The driver holds no rows, unless it is the executor too. One without storage has not reported it yet.
        if (is_local or info.name != "driver") and info.storage
    ]


def wait_for_executors(context: Any, tell: Callable[[str], Any]) -> list[Executor]:
    """The executors, once all of them have come, so that each run finds the same number of slots.

    Spark starts a job on those that are there: on a standalone cluster that is none, and two slots. How many will come
    is known where `spark.executor.instances` says so; else those count that come soon after each other. `tell`
    takes a line for the user where there are none for long.

    Raises PlatformError where Spark stops meanwhile.
    """
    if jvm.is_local(context):
        return registered(context)
    wanted = _wanted(context.getConf())
    if _is_dynamic(context.getConf()):
        threading.Thread(target=_wake, args=(context,), name="wake", daemon=True).start()
    began = newest = time.monotonic()
    found: list[Executor] = []
    told = False
    while True:
        if jvm.is_stopped(context):
            raise PlatformError(errors.STOPPED)
        now, before, found = time.monotonic(), len(found), registered(context)
        if len(found) > before:
            if not before:
                began = now
            newest = now
        if found and _is_enough(len(found), wanted, now - newest, now - began):
            return found
        if not found and not told and now - began > FIRST:
            told = True
            tell(
                f"waiting   {context.master} has given no executor for {FIRST:.0f} s: it may be busy, or have no "
                "machine with as much memory and as many cores as one asks for; Ctrl-C ends the waiting"
            )
        time.sleep(POLL)


def _is_enough(count: int, wanted: int | None, still: float, waited: float) -> bool:
    """Whether to go on with so many, `still` seconds after the last and `waited` after the first."""
    return waited >= LONGEST or (still >= STILL if wanted is None else count >= wanted)


def _wanted(conf: Any) -> int | None:
    """How many executors the user asked for; None where that is open."""
    if _is_dynamic(conf):
        return None
    count = conf.get("spark.executor.instances", "")
    return int(count) if count.isdigit() else None


def _is_dynamic(conf: Any) -> bool:
    """Whether Spark asks for executors only as there are tasks for them."""
    return conf.get("spark.dynamicAllocation.enabled", "false").lower() == "true"


def _wake(context: Any) -> None:
    """Run a job of one task, without which there may never be an executor; what goes wrong is told by the next job."""
    context.setJobDescription("waking an executor")
    with suppress(Exception):
        context.parallelize([0], 1).count()


def worker_memory_limit(context: Any) -> int | None:
    """Return the bytes that all Python workers of an executor may use together; None: no such limit.

    YARN and Kubernetes kill an executor that uses more.
    """
    manager = next((name for name in OVERHEADS if context.master.startswith(name)), None)
    if manager is None:
        return None
    limit = jvm.size_in_bytes(context, "spark.executor.pyspark.memory", "0")
    if limit:
        return limit
    overhead = jvm.size_in_bytes(context, "spark.executor.memoryOverhead", "0")
    factor = float(context.getConf().get("spark.executor.memoryOverheadFactor", str(OVERHEADS[manager])))
    heap = jvm.size_in_bytes(context, "spark.executor.memory", "1g")
    return overhead or max(LEAST_OVERHEAD, int(factor * heap))

"""The executors of a cluster, as Spark's driver knows them: how many have come, and what room each has."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from nn.core.errors import PlatformError
from nn.spark.runtime import errors

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
    scala = context._jsc.sc()
    # Not SparkEnv's block manager, by which the driver could be told from executors as well: on Spark 4.3 Python's
    # bridge cannot open that class without a library that pip's Spark does not bring.
    found = scala.statusStore().executorList(True)
    each = (found.apply(number) for number in range(found.size()))
    # The status store's own account of what is used only grows where blocks are broadcast and destroyed.
    memory = scala.getExecutorMemoryStatus()
    return [
        Executor(one.id(), one.maxTasks(), _left(memory.get(one.hostPort()), one.maxMemory()))
        for one in each
        # The driver holds no rows, unless it is the executor too. One without memory has not said yet what it has.
        if (scala.isLocal() or one.id() != "driver") and one.maxMemory()
    ]


def _left(memory: Any, most: int) -> int:
    """Return the bytes that are left, of a Scala Option of (most, left); all of them where that is not known yet."""
    return memory.get()._2() if memory.isDefined() else most


def wait_for_executors(context: Any, tell: Callable[[str], Any]) -> list[Executor]:
    """The executors, once all of them have come, so that each run finds the same number of slots.

    Spark starts a job on those that are there: on a standalone cluster that is none, and two slots. How many will come
    is known where `spark.executor.instances` says so; else those count that come soon after each other. `tell`
    takes a line for the user where there are none for long.

    Raises PlatformError where Spark stops meanwhile.
    """
    scala = context._jsc.sc()
    if scala.isLocal():
        return registered(context)
    wanted = _wanted(context.getConf())
    if _is_dynamic(context.getConf()):
        threading.Thread(target=_wake, args=(context,), name="wake", daemon=True).start()
    began = newest = time.monotonic()
    found: list[Executor] = []
    told = False
    while True:
        if scala.isStopped():
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


def worker_memory_limit(conf: Any, master: str) -> int | None:
    """Bytes that all Python workers of an executor may take together; None where nothing but the machine bounds them.

    `conf` is Java's SparkConf, which reads sizes. YARN and Kubernetes kill an executor that takes more.
    """
    kind = next((kind for kind in OVERHEADS if master.startswith(kind)), None)
    if kind is None:
        return None
    own = _bytes(conf, "spark.executor.pyspark.memory", "0")
    if own:
        return own
    asked = _bytes(conf, "spark.executor.memoryOverhead", "0")
    factor = float(conf.get("spark.executor.memoryOverheadFactor", str(OVERHEADS[kind])))
    return asked or max(LEAST_OVERHEAD, int(factor * _bytes(conf, "spark.executor.memory", "1g")))


def _bytes(conf: Any, key: str, default: str) -> int:
    """A size that Spark takes for mebibytes where it has no unit."""
    return conf.getSizeAsMb(key, default) << 20

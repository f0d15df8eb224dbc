"""Python workers: what a task does once for the process it runs in, so that the tasks after it need not wait.

freeze_gc
    After each task Spark's daemon runs a full garbage collection in its worker, over all that Python and NumPy have
    loaded. `gc.freeze` leaves these objects out; reference counting still frees them.
cache_zip_directories
    Before each task PySpark clears the caches of the import system, and Python reads the directory of every archive on
    its path again, pyspark.zip with thousands of entries among them. They do not change.
quick_ack
    Before Spark 4.1 a worker hears from the JVM over TCP, in small pieces: the kernel delays its acknowledgement of one
    by 40 ms, and the JVM holds back the next until it comes. Linux acknowledges at once where TCP_QUICKACK is set, but
    resets the option, so a thread sets it again.
silence_interrupt
    Ctrl-C reaches the workers of a local Spark as well, and when Spark 4 stops it closes their connections before it
    ends them. Each would print a stack trace beside the one line of the driver.

What the first three are worth: docs/benchmarks.md. None of it can change a result.
"""

from __future__ import annotations

import functools
import gc
import os
import signal
import socket
import sys
import threading
import time
import traceback
import zipimport
from collections.abc import Callable
from contextlib import suppress
from typing import Any

PAUSE = 0.002  # seconds between two acknowledgements: far below the kernel's 40 ms, and a thousandth of a core's time


@functools.cache
def tune_worker() -> None:
    """Do all of it, once a process."""
    freeze_gc()
    cache_zip_directories()
    quick_ack()
    silence_interrupt()


def freeze_gc() -> None:
    """Put what the process has loaded out of the garbage collector's reach."""
    gc.collect()
    gc.freeze()


def cache_zip_directories() -> None:
    """Keep the directories of the archives on the path; one that is added later is read as ever."""
    for finder in sys.path_importer_cache.values():
        if isinstance(finder, zipimport.zipimporter):
            finder.invalidate_caches = _nothing  # type: ignore[method-assign]


def quick_ack() -> None:
    """Start a thread that acknowledges at once what arrives over the process's TCP connections; none, no thread."""
    connections = _connections() if hasattr(socket, "TCP_QUICKACK") else []
    if connections:
        threading.Thread(target=_acknowledge, args=(connections,), name="acknowledge", daemon=True).start()


def silence_interrupt() -> None:
    """From a Ctrl-C on print nothing, of a lost connection no trace; the JVM or the daemon above ends the process."""
    with suppress(ValueError):  # what a thread that is not the main one is told: it hears no Ctrl-C
        signal.signal(signal.SIGINT, _fall_silent)
    traceback.print_exc = functools.partial(_print_unless_lost, traceback.print_exc)


def _fall_silent(*_: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _print_unless_lost(print_exc: Callable, *rest: Any, **more: Any) -> None:
    if not isinstance(sys.exc_info()[1], ConnectionError):
        print_exc(*rest, **more)


def _acknowledge(connections: list[socket.socket]) -> None:
    while True:
        time.sleep(PAUSE)
        for connection in connections:
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            except OSError:  # closed: the worker is about to end
                return


def _connections() -> list[socket.socket]:
    """The TCP connections that the process has open, each once, by descriptors of their own."""
    found: dict[tuple, socket.socket] = {}
    for descriptor in _descriptors():
        try:
            copy = os.dup(descriptor)
        except OSError:  # closed since it was listed
            continue
        try:
            connection = socket.socket(fileno=copy)
        except OSError:  # no socket
            os.close(copy)
            continue
        ends = _ends(connection)
        if ends is None or ends in found:
            connection.close()
        else:
            found[ends] = connection
    return list(found.values())


def _descriptors() -> list[int]:
    """The descriptors that the process has open; none where the system does not list them."""
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return []


def _ends(connection: socket.socket) -> tuple | None:
    """(own address, the other's) of a connected TCP socket, else None."""
    inet = connection.family in (socket.AF_INET, socket.AF_INET6)
    if not inet or connection.type != socket.SOCK_STREAM:
        return None
    try:
        return connection.getsockname(), connection.getpeername()
    except OSError:  # it only listens
        return None


def _nothing() -> None:
    pass

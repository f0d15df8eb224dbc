"""Tune Spark's Python workers: the first task of a process removes waits from the tasks after it.

freeze_gc
    After each task Spark's daemon runs a full garbage collection in its worker, over all that Python and NumPy have
    loaded. `gc.freeze` excludes these objects; reference counting still frees them.
cache_zip_directories
    Before each task PySpark clears the caches of the import system. Python then reads the directory of every archive on
    its path again, among them pyspark.zip with thousands of entries, although they do not change.
quick_ack
    Before Spark 4.1, and on YARN, the JVM sends to a worker over TCP, in small packets. The kernel delays the
    acknowledgment of a packet by 40 ms, and the JVM waits for it before it sends the next. Linux acknowledges at once
    if TCP_QUICKACK is set, but resets the option, so a thread sets it again.
silence_interrupt
    Ctrl-C reaches the workers of a local Spark as well, and Spark 4 closes their connections before it ends them. Each
    would print a stack trace beside the one line of the driver.

benchmarks/results/README.md has the gain of the first three. None of them can change a result.
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

PAUSE = 0.002  # seconds between two acknowledgments: far below the kernel's 40 ms, and a thousandth of a core's time


@functools.cache
def tune_worker() -> None:
    """Apply all of them, once per process."""
    freeze_gc()
    cache_zip_directories()
    quick_ack()
    silence_interrupt()


def freeze_gc() -> None:
    """Exclude all objects that the process has loaded from garbage collection."""
    gc.collect()
    gc.freeze()


def cache_zip_directories() -> None:
    """Keep the directories of the archives on the path in memory. Archives that are added later are not affected."""
    for finder in sys.path_importer_cache.values():
        if isinstance(finder, zipimport.zipimporter):
            finder.invalidate_caches = _nothing  # type: ignore[method-assign]


def quick_ack() -> None:
    """Start a thread that acknowledges at once what arrives over the process's TCP connections, if it has any."""
    connections = _connections() if hasattr(socket, "TCP_QUICKACK") else []
    if connections:
        threading.Thread(target=_acknowledge, args=(connections,), name="acknowledge", daemon=True).start()


def silence_interrupt() -> None:
    """Print nothing after a Ctrl-C, and no trace of a lost connection. The JVM or Spark's daemon ends the process."""
    with suppress(ValueError):  # raised in a thread that is not the main one, which receives no Ctrl-C
        signal.signal(signal.SIGINT, _fall_silent)
    traceback.print_exc = functools.partial(_print_unless_lost, traceback.print_exc)


def _fall_silent(*_: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _print_unless_lost(print_exc: Callable, *args: Any, **kwargs: Any) -> None:
    if not isinstance(sys.exc_info()[1], ConnectionError):
        print_exc(*args, **kwargs)


def _acknowledge(connections: list[socket.socket]) -> None:
    while True:
        time.sleep(PAUSE)
        for connection in connections:
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            except OSError:  # closed: the worker is about to end
                return


def _connections() -> list[socket.socket]:
    """Return a socket of its own for each TCP connection that the process has open."""
    connections: dict[tuple, socket.socket] = {}
    for descriptor in _descriptors():
        try:
            copy = os.dup(descriptor)
        except OSError:  # closed since it was listed
            continue
        try:
            connection = socket.socket(fileno=copy)
        except OSError:  # not a socket
            os.close(copy)
            continue
        addresses = _addresses(connection)
        if addresses is None or addresses in connections:
            connection.close()
        else:
            connections[addresses] = connection
    return list(connections.values())


def _descriptors() -> list[int]:
    """Return the file descriptors that the process has open; none where the system does not list them."""
    try:
        return [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        return []


def _addresses(connection: socket.socket) -> tuple | None:
    """Return (own address, peer's address) of a connected TCP socket, else None."""
    is_inet = connection.family in (socket.AF_INET, socket.AF_INET6)
    if not is_inet or connection.type != socket.SOCK_STREAM:
        return None
    try:
        return connection.getsockname(), connection.getpeername()
    except OSError:  # it only listens
        return None


def _nothing() -> None:
    pass

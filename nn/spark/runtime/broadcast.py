"""Broadcast a value to the executors, and report a full disk on the driver in one line."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nn.core.errors import PlatformError
from nn.spark.runtime import jvm
from nn.spark.runtime.errors import disk_error

_lock = threading.Lock()  # tuners fit in threads


def broadcast(context: Any, value: Any) -> Any:
    """Broadcast a value with Spark. Raises PlatformError where the driver's disk cannot store it."""
    try:
        with _lock, _without_trace():
            return context.broadcast(value)
    except Exception as error:
        cause = disk_error(error)
        if cause is None:
            raise
        folder = jvm.temporary_folder(context)
        raise PlatformError(
            f"cannot write what the executors are given to {folder}: {cause.strerror}; free the disk, or "
            "name another with spark.local.dir"
        ) from error


@contextmanager
def _without_trace() -> Iterator[None]:
    """Keep PySpark from printing the trace of an error that it raises as well. Whatever else is printed is shown."""
    module: Any = sys.modules.get(
        "pyspark.core.broadcast", sys.modules.get("pyspark.broadcast")
    )  # Spark 4; 3.5
    if module is None:  # a client of Spark Connect
        yield
        return
    shown, module.print_exec = module.print_exec, lambda stream: None
    try:
        yield
    finally:
        module.print_exec = shown

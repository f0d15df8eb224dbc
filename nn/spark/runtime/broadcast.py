"""Broadcast a value to the executors, and report a full disk on the driver in one line."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from typing import Any

from nn.core.errors import PlatformError
from nn.spark.runtime import jvm
from nn.spark.runtime.errors import disk_error


def broadcast(context: Any, value: Any) -> Any:
    """Broadcast a value with Spark. Raises PlatformError where the driver's disk cannot store it."""
    try:
        with redirect_stderr(io.StringIO()):  # PySpark prints a trace of the error that it raises
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

"""Give a value to every executor once, by a file on the driver's disk."""

from __future__ import annotations

import errno
import io
from contextlib import redirect_stderr
from typing import Any

from nn.core.errors import PlatformError
from nn.spark.runtime import jvm

OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.ENOENT)


def broadcast(context: Any, value: Any) -> Any:
    """Spark's broadcast of a value; PlatformError where the driver's disk does not take it."""
    try:
        with redirect_stderr(io.StringIO()):  # PySpark prints a trace of the error that it raises
            return context.broadcast(value)
    except Exception as error:
        fault = _of_the_disk(error)
        if fault is None:
            raise
        folder = jvm.temporary_folder(context)
        raise PlatformError(
            f"cannot write what the executors are given to {folder}: {fault.strerror}; free the disk, or "
            "name another with spark.local.dir"
        ) from error


def _of_the_disk(error: BaseException | None) -> OSError | None:
    """The disk's fault in whose handling an error came up, if any; connections are OSErrors, too."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in OF_DISKS:
            return error
        error = error.__context__
    return None

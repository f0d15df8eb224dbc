"""Print an error on spark-submit's stderr: spark-submit prints all output of this program on its stdout.

The error is sent to spark-submit's Java process, which prints it on its own stderr. If a signal to both has ended that
process, the line is written to the file of its stderr, if that could be opened at the start.
"""

from __future__ import annotations

import array
import os
import stat
import sys
import time
from contextlib import suppress

from nn.spark.runtime import jvm
from nn.spark.runtime.session import quiet_py4j

READ_TIMEOUT = 2.0  # seconds for spark-submit to read the output so far
POLL = 0.005


def open_stderr() -> int | None:
    """Open the file, pipe or terminal of spark-submit's stderr; None where it is unknown."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ or not _share_a_pipe():
        return None
    with suppress(OSError):  # no /proc on this system, or a parent that has ended
        return os.open(f"/proc/{os.getppid()}/fd/2", os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC)
    return None


def print_error(line: str) -> bool:
    """Print a line on spark-submit's stderr, and return whether it was: not if this program has its own stderr."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ or not _share_a_pipe():
        return False
    with suppress(Exception):  # a Java process that is ending does not answer
        quiet_py4j()
        _await_reader()
        stream = jvm.standard_error()
        content = f"{line}\n".encode(errors="backslashreplace")
        stream.write(bytearray(content), 0, len(content))
        return not stream.checkError()
    return False


def runs_on_cluster() -> bool:
    """Return whether spark-submit has started this driver on a machine of the cluster: --deploy-mode cluster."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return False
    with suppress(Exception):  # a Java process that is ending does not answer
        return jvm.deploy_mode() == "cluster"
    return False


def _share_a_pipe() -> bool:
    """Return whether stdout and stderr are one pipe, as spark-submit makes it, and not redirected by a user."""
    with suppress(OSError, ValueError, AttributeError):
        out, error = (os.fstat(stream.fileno()) for stream in (sys.stdout, sys.stderr))
        return stat.S_ISFIFO(error.st_mode) and os.path.samestat(out, error)
    return False


def _await_reader() -> None:
    """Wait until spark-submit has read the output so far, so that the line comes after it."""
    with suppress(ImportError, OSError):  # systems that do not report the bytes in a pipe
        from fcntl import ioctl
        from termios import FIONREAD

        unread, until = array.array("i", [1]), time.monotonic() + READ_TIMEOUT
        while unread[0] and time.monotonic() < until:
            ioctl(sys.stdout.fileno(), FIONREAD, unread)
            time.sleep(POLL)

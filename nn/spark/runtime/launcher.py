"""spark-submit, by which this program is started: it reads what is printed through one pipe and prints it on stdout.

An error is given to its Java process instead, which prints it on spark-submit's own stderr. A signal to both may end
that process first: then the line is written where its stderr went, if that could be opened at the start.
"""

from __future__ import annotations

import array
import os
import stat
import sys
import time
from contextlib import suppress

from nn.spark.runtime import jvm
from nn.spark.runtime.session import quiet_bridge

READS = 2.0  # seconds that spark-submit takes to read what is printed already, at most
POLL = 0.005


def open_stderr() -> int | None:
    """Open the file, pipe or terminal to which spark-submit's stderr goes; None where that cannot be known."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ or not _share_a_pipe():
        return None
    with suppress(OSError):  # no /proc on this system, or a parent that has ended
        return os.open(f"/proc/{os.getppid()}/fd/2", os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_CLOEXEC)
    return None


def print_error(line: str) -> bool:
    """Print a line on spark-submit's stderr; whether it was: not where this program has a stderr of its own."""
    if "PYSPARK_GATEWAY_PORT" not in os.environ or not _share_a_pipe():
        return False
    with suppress(Exception):  # a Java process that ends does not answer
        quiet_bridge()
        _await_reader()
        stream = jvm.standard_error()
        content = f"{line}\n".encode(errors="backslashreplace")
        stream.write(bytearray(content), 0, len(content))
        return not stream.checkError()
    return False


def _share_a_pipe() -> bool:
    """Whether stdout and stderr are one pipe, as spark-submit makes it, and not what a user directed them to."""
    with suppress(OSError, ValueError, AttributeError):
        out, error = (os.fstat(stream.fileno()) for stream in (sys.stdout, sys.stderr))
        return stat.S_ISFIFO(error.st_mode) and os.path.samestat(out, error)
    return False


def _await_reader() -> None:
    """Wait until spark-submit has read what is printed already, which the line is to follow."""
    with suppress(ImportError, OSError):  # systems that do not tell what a pipe holds
        from fcntl import ioctl
        from termios import FIONREAD

        unread, until = array.array("i", [1]), time.monotonic() + READS
        while unread[0] and time.monotonic() < until:
            ioctl(sys.stdout.fileno(), FIONREAD, unread)
            time.sleep(POLL)

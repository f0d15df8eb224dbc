"""Ctrl-C, SIGTERM and SIGHUP while Spark is at work: the job that runs is cancelled, then the program is told.

A signal's exception may come up anywhere. Where it cuts short a call into Java, the answer stays unread on the
connection and the next call, such as that which writes the last checkpoint, takes it for its own; where it comes up
within PySpark, that may raise an error of its own in its place. So it waits for the end of the call.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType, TracebackType
from typing import Any

from nn.core import signals
from nn.spark.runtime import jvm

BRIDGE = ("py4j", "pyspark")  # the packages between this program and Java
AGAIN = 0.05  # seconds until jobs are cancelled once more: the first time the last of them may not have begun


class Interruption:
    """Inside `with`, signals come up between two calls into Java; a second one meanwhile comes up at once.

    For the main thread, where Python handles signals. `hush` is called first, from a thread of its own: to keep Spark
    from logging how it is disturbed.
    """

    def __init__(self, context: Any, hush: Callable[[], Any]):
        self._context, self._hush = context, hush
        self._client = jvm.py4j_client(context)
        self._send = self._client.send_command
        self._thread = threading.get_ident()
        self._wanted: KeyboardInterrupt | None = None
        self._raised = threading.Event()

    def __enter__(self) -> Interruption:
        # PySpark's own handler of Ctrl-C, in whose place this one is, calls Java from wherever the signal strikes.
        self._before = {number: signal.signal(number, self._ask) for number in signals.handled()}
        self._client.send_command = self._call
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.send_command = self._send
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._raised.set()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        stop = signals.ERRORS[number]()
        if self._wanted is not None or not _is_in_bridge(frame):
            self._wanted = None  # what waited comes up with this one
            self._raised.set()
            in_background(self._hush)
            raise stop
        self._wanted, self._raised = stop, threading.Event()
        in_background(partial(self._cancel_until, self._raised))

    def _cancel_until(self, raised: threading.Event) -> None:
        """Cancel what Spark runs, for which the main thread may be waiting."""
        self._hush()
        while not raised.is_set():
            with suppress(Exception):  # a JVM that is gone has no jobs
                self._context.cancelAllJobs()
            raised.wait(AGAIN)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """py4j's send_command, by which every call goes."""
        if threading.get_ident() != self._thread:
            return self._send(*args, **kwargs)
        self._raise_wanted()
        try:
            return self._send(*args, **kwargs)
        finally:
            self._raise_wanted()

    def _raise_wanted(self) -> None:
        stop, self._wanted = self._wanted, None
        if stop is not None:
            self._raised.set()
            raise stop


def in_background(call: Callable[[], Any]) -> threading.Thread:
    """Start what calls Java while the main thread does, or was cut short: a thread has a connection of its own."""
    thread = threading.Thread(target=call, name="interruption", daemon=True)
    thread.start()
    return thread


def behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """The signal in whose handling an error came up, if any."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _is_in_bridge(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in BRIDGE:
            return True
        frame = frame.f_back
    return False

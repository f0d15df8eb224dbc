"""Handle Ctrl-C, SIGTERM and SIGHUP during Spark jobs: cancel the running job, then raise the signal's exception.

Python may raise a signal's exception anywhere. If it interrupts a call into Java, the answer stays unread on the
connection, and the next call, such as the one that writes the last checkpoint, reads it as its own. If it is raised
within PySpark, PySpark may raise another error in its place. So the exception is raised after the call has ended.
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
CANCEL_AGAIN = 0.05  # seconds until jobs are canceled again: at first, the last job may not have started


class Interruption:
    """Raise the exceptions of signals between calls into Java, inside `with`. A second signal is raised at once.

    To be used in the main thread, where Python handles signals. At a signal, `silence` is called first, in a thread of
    its own, to keep Spark from logging the interruption.
    """

    def __init__(self, context: Any, silence: Callable[[], Any]):
        self._context, self._silence = context, silence
        self._client = jvm.py4j_client(context)
        self._send = self._client.send_command
        self._thread = threading.get_ident()
        self._pending: KeyboardInterrupt | None = None
        self._raised = threading.Event()

    def __enter__(self) -> Interruption:
        # This replaces PySpark's own handler of Ctrl-C, which calls Java from wherever the signal arrives.
        self._previous = {number: signal.signal(number, self._handle) for number in signals.handled()}
        self._client.send_command = self._call
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.send_command = self._send
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._raised.set()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        stop = signals.ERRORS[number]()
        if self._pending is not None or not _is_in_bridge(frame):
            self._pending = None  # this exception is raised in its place
            self._raised.set()
            in_background(self._silence)
            raise stop
        self._pending, self._raised = stop, threading.Event()
        in_background(partial(self._cancel_until, self._raised))

    def _cancel_until(self, raised: threading.Event) -> None:
        """Cancel Spark's jobs, for which the main thread may be waiting."""
        self._silence()
        while not raised.is_set():
            with suppress(Exception):  # a JVM that has ended has no jobs
                self._context.cancelAllJobs()
            raised.wait(CANCEL_AGAIN)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """Send a call into Java, in place of py4j's send_command."""
        if threading.get_ident() != self._thread:
            return self._send(*args, **kwargs)
        self._raise_pending()
        try:
            return self._send(*args, **kwargs)
        finally:
            self._raise_pending()

    def _raise_pending(self) -> None:
        stop, self._pending = self._pending, None
        if stop is not None:
            self._raised.set()
            raise stop


def in_background(call: Callable[[], Any]) -> threading.Thread:
    """Call Java in a thread, which has its own connection: that of the main thread may be in use or broken."""
    thread = threading.Thread(target=call, name="interruption", daemon=True)
    thread.start()
    return thread


def behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """Return the signal's exception during whose handling an error was raised, if any."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _is_in_bridge(frame: FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in BRIDGE:
            return True
        frame = frame.f_back
    return False

"""Processes that serve on loopback: started with a log of their own, waited for, and killed at the end."""

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 120  # seconds for one to start


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Daemon:
    """A process in a session of its own."""

    def __init__(self, words: list[str], log: Path, env: Mapping[str, str], cwd: Path):
        self.log = log
        with open(log, "ab") as file:
            self.process = subprocess.Popen(
                words,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, pattern: str) -> None:
        """Until a line of its log matches."""
        until = time.monotonic() + PATIENCE
        while not re.search(pattern, self.log.read_text(errors="replace")):
            self._go_on(until, f"a line {pattern!r}")

    def wait_for_port(self, port: int) -> None:
        """Until it listens."""
        until = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError), socket.create_connection((HOST, port), timeout=1):
                return
            self._go_on(until, f"port {port} to be served")

    def _go_on(self, until: float, what: str) -> None:
        if self.process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(
                f"expected {what}, found in {self.log}:\n{self.log.read_text(errors='replace')[-3000:]}"
            )
        time.sleep(0.1)

    def kill(self) -> None:
        """Kill -9 it alone, and wait for its end."""
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()


@contextmanager
def daemons() -> Iterator[list[Daemon]]:
    """A list of daemons: those in it at the end are killed with all that they have started, the last first."""
    running: list[Daemon] = []
    try:
        yield running
    finally:
        for daemon in reversed(running):
            with suppress(ProcessLookupError):
                os.killpg(daemon.process.pid, signal.SIGKILL)
            daemon.process.wait()

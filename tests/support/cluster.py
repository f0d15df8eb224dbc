"""A Spark standalone cluster on this machine, from the pip-installed pyspark: a master and workers.

`python -m tests.support.cluster FOLDER` starts one, says its address and stops it at Ctrl-C.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support import java_classes
from tests.support.submitting import environment

STARTED = re.compile(r"Starting Spark master at (spark://\S+)")
REGISTERED = "Successfully registered with master"
HOST = "127.0.0.1"
# By name one machine is two: Spark never tries a slow task again on the host where it is slow.
WORKERS_HOSTS = (HOST, "localhost")
PATIENCE = 60  # seconds
NONE: Mapping[str, str] = {}


class Cluster:
    """A running cluster."""

    def __init__(self, master: str, workers: list[subprocess.Popen]):
        self.master, self.workers = master, workers

    def executors(self) -> list[int]:
        """The processes of all executors that run now."""
        registered = []
        for worker in self.workers:
            listed = subprocess.run(
                ["pgrep", "-P", str(worker.pid), "-f", "CoarseGrainedExecutorBackend"],
                capture_output=True,
                text=True,
            )
            registered += [int(line) for line in listed.stdout.split()]
        return registered


@contextmanager
def standalone(
    folder: Path, workers: int = 2, cores: int = 1, memory: str = "1g", settings: Mapping[str, str] = NONE
) -> Iterator[Cluster]:
    """A master and so many workers, whose logs and work lie in the folder; `settings` are Spark's, for all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    defaults = write_defaults(folder / "daemons.conf", settings)
    started: list[subprocess.Popen] = []
    try:
        log = folder / "master.log"
        words = ["master.Master", "--host", HOST, "--port", "0", "--webui-port", "0"]
        started.append(_start(words, log, defaults))
        master = _wait_for(STARTED, log, started[-1])[1]
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            words = [
                "worker.Worker",
                "--host",
                WORKERS_HOSTS[number % 2],
                "--webui-port",
                "0",
                "--cores",
                str(cores),
                "--memory",
                memory,
            ]
            started.append(
                _start([*words, "--work-dir", str(folder / f"work-{number}"), master], log, defaults)
            )
        for number, process in enumerate(started[1:]):
            _wait_for(re.compile(REGISTERED), folder / f"worker-{number}.log", process)
        yield Cluster(master, started[1:])
    finally:
        for process in reversed(started):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def write_defaults(path: Path, settings: Mapping[str, str]) -> Path:
    """Settings in a file that its owner alone may read, as spark-defaults.conf holds them."""
    path.touch(0o600)
    path.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
    return path


def _start(words: list[str], log: Path, defaults: Path) -> subprocess.Popen:
    home = environment()["SPARK_HOME"]
    with open(log, "wb") as file:
        return subprocess.Popen(
            [
                *(f"{home}/bin/spark-class", f"org.apache.spark.deploy.{words[0]}"),
                *("--properties-file", str(defaults), *words[1:]),
            ],
            env={
                **environment(),
                "SPARK_DAEMON_MEMORY": "256m",
                "SPARK_DAEMON_JAVA_OPTS": java_classes.OPTIONS,
                "SPARK_LOCAL_IP": HOST,
            },
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_for(pattern: re.Pattern, log: Path, process: subprocess.Popen) -> re.Match:
    until = time.monotonic() + PATIENCE
    while True:
        log_text = log.read_text(errors="replace")
        match = pattern.search(log_text)
        if match:
            return match
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"expected {pattern.pattern!r} in {log}, found:\n{log_text[-2000:]}")
        time.sleep(0.1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.support.cluster FOLDER")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with standalone(Path(sys.argv[1]).resolve()) as running, suppress(KeyboardInterrupt):
        print(f"{running.master} with {len(running.workers)} workers; Ctrl-C stops it", flush=True)
        signal.pause()

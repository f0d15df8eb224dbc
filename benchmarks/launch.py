"""Start a peer in a process of its own and read its answer; what keeps it from answering is one line, no exception."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from peers.contract import BLAS_THREADS

ROOT = Path(__file__).resolve().parents[1]
# Settings of the caller's that would change what is measured; a peer makes its own.
NOT_PASSED_ON = (*BLAS_THREADS, "PYSPARK_SUBMIT_ARGS", "PYSPARK_PYTHON", "JAVA_TOOL_OPTIONS", "SPARK_REMOTE")


class Reply(NamedTuple):
    """A peer's answer, or None and why there is none."""

    answer: dict[str, Any] | None
    why: str = ""
    missing: bool = False  # whether it lacks something here, and need not be asked again


@dataclass(frozen=True)
class Launcher:
    """Where peers run, and for how long at most."""

    python: str = sys.executable  # for Spark and NumPy
    peers_python: str = sys.executable  # for PyTorch and scikit-learn
    seconds: float = 7200.0

    def run(self, peer: str, words: list[str], elsewhere: bool = False) -> Reply:
        """Start a peer with these options, and wait for its end."""
        python = self.peers_python if elsewhere else self.python
        environment = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
        try:
            process = subprocess.Popen(
                [python, "-m", f"benchmarks.peers.{peer}", *words],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,  # so that its JVM and its workers end with it
            )
        except OSError as error:
            return Reply(None, f"{python} cannot be started ({error.strerror})", missing=True)
        try:
            out, err = process.communicate(timeout=self.seconds)
        except subprocess.TimeoutExpired:
            return Reply(None, f"not done after {self.seconds:g} s")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return understood(out, err, process.returncode)


def understood(out: str, err: str, code: int) -> Reply:
    """The answer in a peer's last line, or why there is none."""
    with suppress(IndexError, ValueError):
        answer = json.loads(out.splitlines()[-1])
        if isinstance(answer, dict) and "peer" in answer:
            if "skipped" in answer:
                return Reply(None, answer["skipped"], answer["missing"])
            return Reply(answer)
    error_lines = [line.strip() for line in err.splitlines() if line.strip()]
    return Reply(
        None,
        f"ended with code {code} and without an answer: {error_lines[-1] if error_lines else 'no message'}",
    )

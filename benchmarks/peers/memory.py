"""How much memory processes held at most: VmHWM of /proc, in MB; None on systems without /proc.

The peak of a process counts pages that it shares with others, so a sum over forked processes is a little too high.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")


def peak(pid: int | str = "self") -> float | None:
    """The most that a process held so far, MB."""
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    children: dict[int, list[int]] = {}
    for status in PROC.glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()  # what precedes may hold blanks
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    sizes: list[int] = []
    waiting = [pid]
    while waiting:
        waiting = [child for parent in waiting for child in children.get(parent, [])]
        sizes += waiting
    return sizes


def together(peaks: Iterable[float | None]) -> dict[str, float | None]:
    """Workers' peaks: their sum and the largest."""
    known = [each for each in peaks if each is not None]
    return {"workers": sum(known) if known else None, "worker": max(known, default=None)}


def of_processes(pids: Iterable[int]) -> dict[str, float | None]:
    """The process itself and its workers."""
    return {"driver_jvm": None, "python": peak(), **together(peak(pid) for pid in pids)}


def of_spark(context) -> dict[str, float | None]:
    """The driver's Python, its JVM, and the Python workers that the JVM started."""
    jvm = context._jvm.java.lang.ProcessHandle.current().pid()
    return {**of_processes(descendants(jvm)), "driver_jvm": peak(jvm)}


def available() -> float | None:
    """Memory that new processes can have, MB."""
    try:
        lines = (PROC / "meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable:")), None)

"""Name the machine that a benchmark ran on, from what the system says of itself."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path
from typing import Any


def describe(cores: int) -> dict[str, Any]:
    """Processor, the cores used, memory in GB (None where the system does not say), system, and today's date."""
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gb": _memory_gb(),
        "system": f"{_distribution()}, {platform.system()} {_release()} {platform.machine()}",
        "date": datetime.date.today().isoformat(),
    }


def _processor() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _release() -> str:
    """The kernel's version without what its builder added."""
    return platform.release().partition("-")[0]


def _memory_gb() -> int | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30)
    except (AttributeError, OSError, ValueError):
        return None


def _distribution() -> str:
    for line in _lines("/etc/os-release"):
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip().strip('"')
    return platform.platform(terse=True)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []

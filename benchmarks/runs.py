"""What was measured, as it lies in benchmarks/results/*.json, and the numbers that tables and pictures take from it."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from nn.core.errors import DataError


@dataclass(frozen=True)
class Run:
    """One contestant's process: what it was asked, and what it answered or why not."""

    contestant: str
    setting: dict[str, int]  # what the section varies, as {"hidden": 128}
    repeat: int  # or the seed
    answer: dict[str, Any] | None = None  # as benchmarks/peers/contract.py says
    skipped: str = ""


@dataclass
class Results:
    """A section's runs, and where and how they were measured."""

    section: str
    machine: dict[str, Any]
    command: str
    runs: list[Run] = field(default_factory=list)

    def by_repeat(self, contestant: str, **setting: int) -> dict[int, dict[str, Any]]:
        """The answers of a contestant's runs with this setting."""
        mine = [
            run
            for run in self.runs
            if run.contestant == contestant and setting.items() <= run.setting.items()
        ]
        return {run.repeat: run.answer for run in sorted(mine, key=lambda run: run.repeat) if run.answer}

    def of(self, contestant: str, **setting: int) -> list[dict[str, Any]]:
        """The same in the order of their repeats."""
        return list(self.by_repeat(contestant, **setting).values())

    def seconds(self, contestant: str, **setting: int) -> dict[int, float]:
        """The median epoch of each repeat."""
        return {n: epoch_seconds(answer) for n, answer in self.by_repeat(contestant, **setting).items()}

    @property
    def answered(self) -> bool:
        """Whether anybody could be measured."""
        return any(run.answer for run in self.runs)

    def values(self, name: str) -> list[int]:
        """The values that a setting had, in order."""
        return sorted({run.setting[name] for run in self.runs if name in run.setting})

    def why_skipped(self, contestant: str) -> str:
        """What a contestant without any answer said, '' where it did not take part."""
        return next((run.skipped for run in self.runs if run.contestant == contestant and run.skipped), "")

    def versions(self) -> dict[str, str]:
        """All packages that took part."""
        content: dict[str, str] = {}
        for run in self.runs:
            content |= (run.answer or {}).get("versions", {})
        return content


def write(results: Results, path: Path) -> None:
    """Save as JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(asdict(results), indent=1) + "\n")
    temporary.replace(path)


def read(path: Path) -> Results:
    """Results that were saved; DataError where the file holds something else."""
    try:
        content = json.loads(path.read_text())
        content["runs"] = [Run(**run) for run in content["runs"]]
        return Results(**content)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: expected results of bench.py, found {type(error).__name__}: {error}"
        ) from None


# ---- numbers ----


def epoch_seconds(answer: dict[str, Any]) -> float:
    """The median of a run's later half of epochs: in the first, caches and compilers warm up; nan without epochs."""
    return median(line["seconds"] for line in warm(answer))


def warm(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The later half of a run's epochs."""
    lines = answer["epochs"]
    return lines[len(lines) // 2 :]


def time_to(lines: Sequence[dict[str, Any]], accuracy: float) -> float:
    """Seconds of training at the end of the first epoch with at least this test accuracy; infinite without one."""
    return next((passed for passed, reached in _passed(lines) if reached >= accuracy), math.inf)


class Reached(NamedTuple):
    """When an accuracy was reached: the median over seeds, infinite unless more than half of them got there."""

    seconds: float
    seeds: int
    of: int


def reached(answers: Sequence[dict[str, Any]], accuracy: float) -> Reached:
    """The median over runs with several seeds; one that never got there counts as later than all others."""
    times = [time_to(answer["epochs"], accuracy) for answer in answers]
    seeds = sum(map(math.isfinite, times))
    return Reached(median(times), seeds, len(times))


def median(values: Iterable[float | None]) -> float:
    """The median of those that are there; nan of none. Of an even number with an infinity in the middle: infinite."""
    known = [value for value in values if value is not None and not math.isnan(value)]
    return statistics.median(known) if known else math.nan


def ratio(mine: dict[int, float], theirs: dict[int, float]) -> float:
    """The median of the ratios within each repeat, so that a slow hour falls on both alike; nan without a pair."""
    return median(mine[repeat] / theirs[repeat] for repeat in mine if theirs.get(repeat))


def _passed(lines: Sequence[dict[str, Any]]) -> list[tuple[float, float]]:
    """(seconds of training so far, accuracy) at the end of each epoch."""
    content, passed = [], 0.0
    for line in lines:
        passed = line.get("from_start", passed + line["seconds"])
        content.append((passed, line["accuracy"]))
    return content

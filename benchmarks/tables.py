"""Results as Markdown tables, and their way into a document: between its markers, and nowhere else.

A table NAME stands between the lines <!-- bench:NAME --> and <!-- /bench:NAME -->, which stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from contestants import (
    ACCURACY,
    ALL_ROWS,
    BATCHES,
    CONTESTANTS,
    HIDDEN,
    JAX,
    NUMPY,
    OTHER,
    PARTITIONS,
    ROWS,
    STANDARD,
    TORCH,
)
from runs import Results, epoch_seconds, median, ratio, reached, warm
from sections import LEVELS

from nn.core.errors import DataError

NOTHING = "–"
PHASES = ("schedule", "read", "compute", "sum", "update")
STEPS = {
    BATCHES: ("mini-batches of 64", NUMPY, TORCH, JAX),
    ALL_ROWS: ("one step from all rows", f"{NUMPY}, all rows", "PyTorch, all rows"),
    OTHER: ("an iteration of L-BFGS", f"{NUMPY}, all rows", "PyTorch, all rows"),
}


# ---- into the document ----


def put(text: str, name: str, table: str, where: str) -> str:
    """The text with `table` between the markers of `name`; DataError unless both stand there once, in order."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    lines = text.split("\n")
    found = [number for number, line in enumerate(lines) if line.strip() in (begin, end)]
    if len(found) != 2 or lines[found[0]].strip() != begin or lines[found[1]].strip() != end:
        raise DataError(
            f"{where}: expected the line {begin} and after it {end}, once each, found {_count(found)}"
        )
    first, last = found
    return "\n".join([*lines[: first + 1], "", *table.strip("\n").split("\n"), "", *lines[last:]])


def _count(found: list[int]) -> str:
    if not found:
        return "neither"
    return "lines " + ", ".join(str(number + 1) for number in found)


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# ---- numbers as text ----


def seconds(value: float) -> str:
    """As 4.2 ms, 0.35 s, 12 s or 3.5 min."""
    if not math.isfinite(value):
        return NOTHING
    if value < 0.1:
        return f"{1000 * value:.3g} ms"
    if value < 100:
        return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"
    return f"{value / 60:.1f} min"


def times(value: float) -> str:
    """A ratio, as 1.25."""
    return f"{value:.3g}" if math.isfinite(value) else NOTHING


def megabytes(values: Iterable[float | None]) -> str:
    """A median of sizes."""
    value = median(values)
    return f"{value:,.0f} MB" if math.isfinite(value) else NOTHING


def spread(values: Sequence[float], form: Callable[[float], str]) -> str:
    """The smallest and the largest, as a range."""
    known = [value for value in values if math.isfinite(value)]
    return f"{form(min(known))} – {form(max(known))}" if known else NOTHING


# ---- tables ----


def _present(results: Results, section: str, step: str | None = None) -> list[str]:
    """The names of those who have an answer, in the order of CONTESTANTS."""
    return [
        contestant.name
        for contestant in CONTESTANTS
        if section in contestant.sections and step in (None, contestant.step) and results.of(contestant.name)
    ]


def _absent(results: Results, section: str) -> str:
    """A line for those who have none."""
    whys = [
        f"{contestant.name} ({why})"
        for contestant in CONTESTANTS
        if section in contestant.sections and not results.of(contestant.name)
        if (why := results.why_skipped(contestant.name))
    ]
    return f"\n\nNot measured: {'; '.join(whys)}." if whys else ""


def speed(results: Results) -> str:
    """Seconds per epoch, with their range over the repeats, and how often the reference's."""
    parts = []
    for step, (what, *references) in STEPS.items():
        rows = []
        for name in _present(results, STANDARD, step):
            mine = results.seconds(name)
            against = [times(ratio(mine, results.seconds(other))) for other in references]
            rows.append(
                [name, seconds(median(mine.values())), spread(list(mine.values()), seconds), *against]
            )
        if rows:
            head = [what, "per epoch", "range", *(f"to {other}" for other in references)]
            parts.append(markdown(head, rows))
    return "\n\n".join(parts) + _absent(results, STANDARD)


def phases(results: Results) -> str:
    """Where an epoch's time goes, for those who say so; '' where nobody does."""
    rows = []
    for name in _present(results, STANDARD):
        answers = [
            answer for answer in results.of(name) if any(phase in answer["epochs"][-1] for phase in PHASES)
        ]
        if answers:
            each = [median(_phase(answer, phase) for answer in answers) for phase in PHASES]
            whole = median(epoch_seconds(answer) for answer in answers)
            rows.append([name, *map(seconds, each), seconds(whole)])
    return markdown(["", *PHASES, "per epoch"], rows) if rows else ""


def _phase(answer: dict, phase: str) -> float:
    """The median over the same half of the epochs as an epoch's own seconds."""
    return median(line.get(phase) for line in warm(answer))


def loading(results: Results) -> str:
    """Seconds from text to rows that training can take, training and test set; a line a peer, whatever its options."""
    rows, shown = [], set()
    reference = _loads(results, NUMPY)
    for contestant in CONTESTANTS:
        mine = _loads(results, contestant.name)
        if mine and contestant.peer not in shown:
            shown.add(contestant.peer)
            values = list(mine.values())
            row = [contestant.name, seconds(median(values)), spread(values, seconds)]
            rows.append([*row, times(ratio(mine, reference))])
    return markdown(["", "loading", "range", f"to {NUMPY}"], rows) + _absent(results, STANDARD)


def _loads(results: Results, name: str) -> dict[int, float]:
    answers = results.by_repeat(name)
    return {repeat: answer["load"] for repeat, answer in answers.items() if answer["load"] is not None}


def memory(results: Results) -> str:
    """The most that processes held, whatever they did."""
    kinds = {
        "driver JVM": "driver_jvm",
        "Python driver": "python",
        "workers together": "workers",
        "largest worker": "worker",
    }
    rows = [
        [
            name,
            *(megabytes(answer["memory"].get(key) for answer in results.of(name)) for key in kinds.values()),
        ]
        for name in _present(results, STANDARD)
    ]
    return markdown(["", *kinds], rows) + _absent(results, STANDARD)


def accuracy(results: Results) -> str:
    """Training time to each accuracy, the median over seeds, and the best accuracy that was seen."""
    parts = []
    for units in results.values(HIDDEN):
        rows = []
        for name in _present(results, ACCURACY):
            answers = results.of(name, hidden=units)
            if answers:
                best = median(max(line["accuracy"] for line in answer["epochs"]) for answer in answers)
                rows.append([name, *(_reached(answers, level) for level in LEVELS), f"{100 * best:.2f} %"])
        head = [f"784-{units}-10", *(f"{100 * level:g} %" for level in LEVELS), "best epoch"]
        parts.append(markdown(head, rows))
    return "\n\n".join(parts) + _absent(results, ACCURACY)


def _reached(answers: Sequence[dict], level: float) -> str:
    found = reached(answers, level)
    seeds = "" if found.seeds == found.of else f" ({found.seeds} of {found.of})"
    return seconds(found.seconds) + seeds


def growth(section: str, head: str, label: Callable[[int], str]) -> Callable[[Results], str]:
    """A table of seconds per epoch: a line for each value of the setting, a column for each contestant."""

    def table(results: Results) -> str:
        names = _present(results, section)
        rows = [
            [label(value), *(_cell(results, section, name, value) for name in names)]
            for value in results.values(section)
        ]
        return markdown([head, *names], rows) + _absent(results, section)

    return table


def _cell(results: Results, section: str, name: str, value: int) -> str:
    """Seconds per epoch and, in brackets, how often the NumPy limit's with the same step."""
    mine = results.seconds(name, **{section: value})
    text = seconds(median(mine.values()))
    reference = next(STEPS[each.step][1] for each in CONTESTANTS if each.name == name)
    against = ratio(mine, results.seconds(reference, **{section: value}))
    return text if name == reference or not math.isfinite(against) else f"{text} ({times(against)})"


TABLES: dict[str, tuple[str, Callable[[Results], str]]] = {
    "speed": (STANDARD, speed),
    "phases": (STANDARD, phases),
    "loading": (STANDARD, loading),
    "memory": (STANDARD, memory),
    "accuracy": (ACCURACY, accuracy),
    "rows": (ROWS, growth(ROWS, "rows", lambda value: f"{value}x")),
    "hidden": (HIDDEN, growth(HIDDEN, "hidden units", str)),
    "partitions": (PARTITIONS, growth(PARTITIONS, "partitions", str)),
}


def machine(all_results: Sequence[Results]) -> str:
    """On what, with which versions and when the sections were measured; a paragraph for each machine."""
    groups: dict[str, list[Results]] = {}
    for results in all_results:
        about = results.machine
        memory_gb = f", {about['memory_gb']} GB" if about["memory_gb"] else ""
        where = f"{about['processor']}, {about['cores']} cores{memory_gb}; {about['system']}"
        groups.setdefault(where, []).append(results)
    return "\n\n".join(f"{where}; {_versions(group)}. {_when(group)}" for where, group in groups.items())


def _versions(group: Sequence[Results]) -> str:
    """Every package, with all versions of it that took part."""
    found: dict[str, list[str]] = {}
    for results in group:
        for name, version in sorted(results.versions().items()):
            found.setdefault(name, []).append(version)
    return ", ".join(f"{name} {' and '.join(dict.fromkeys(each))}" for name, each in sorted(found.items()))


def _when(group: Sequence[Results]) -> str:
    """Dates and commands, each with the sections that it measured."""
    found: dict[tuple[str, str], list[str]] = {}
    for results in group:
        made = [name for name, (section, _) in TABLES.items() if section == results.section]
        found.setdefault((results.machine["date"], results.command), []).extend(made)
    parts = [f"{', '.join(made)} on {date} by `{command}`" for (date, command), made in found.items()]
    return f"Measured: {'; '.join(parts)}."

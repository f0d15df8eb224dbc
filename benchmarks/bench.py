"""The side-by-side benchmark: this project and its peers on the same data and cores, in turns; what `make bench` runs.

    python benchmarks/bench.py data --peers-python ~/torch/bin/python
    python benchmarks/bench.py data --only speed,hidden --peers numpy_limit,nn_spark
    python benchmarks/bench.py --render

Measures, saves what it measured in benchmarks/results/, and writes the tables and pictures of docs/benchmarks.md, each
between its markers. --render writes them again from what was saved. With --peers, as with --quick, the results go to a
temporary folder and no document is written, unless --results and --document say where: a section's file holds all who
took part. A peer that cannot run here is skipped with a line.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import commandline
import machine
import pictures
import runs
import sections
import tables
from launch import Reply
from peers import digits

from nn.cli import entry
from nn.core.errors import DataError
from nn.plotting.style import house_style, save

QUICK_ROWS = {"train": 600, "test": 200}


def main(args: argparse.Namespace) -> None:
    """Measure what is asked for and write it down, or only write it down."""
    if args.render:
        render(args.results, args.document, args.only)
        return
    if args.document:
        refuse_without_markers(args.document, args.only)
    with data_of(args) as folder:
        for section in dict.fromkeys(sections.SECTIONS[name] for name in args.only):
            measure(section, folder, args)
    print("saved in:", args.results)
    if args.document:
        render(args.results, args.document, args.only)


# ---- measuring ----


def measure(section: str, folder: Path, args: argparse.Namespace) -> None:
    """Run a section's turns, saving after each what there is so far."""
    measured = runs.Results(section, machine.describe(args.cores), args.command)
    path = args.results / f"{section}.json"
    unfinished = path.with_suffix(".part.json")
    cannot: set[str] = set()
    every = list(sections.turns(section, args.contestants, args))
    for number, turn in enumerate(every, 1):
        if turn.contestant.name in cannot:
            continue
        reply = started(turn, folder, args)
        if reply.missing:
            cannot.add(turn.contestant.name)
        run = runs.Run(turn.contestant.name, turn.setting, turn.repeat, reply.answer, reply.why)
        measured.runs.append(run)
        runs.write(measured, unfinished)
        print(f"{section} {number}/{len(every)} {progress_line(run)}", flush=True)
    if measured.runs:
        unfinished.replace(path)


def started(turn: sections.Turn, folder: Path, args: argparse.Namespace) -> Reply:
    """What a turn's contestant replies."""
    contestant = turn.contestant
    words = ["--data", str(folder), "--cores", str(args.cores), *turn.words]
    if contestant.needs_native_blas:
        if args.native_blas is None:
            why = "no native BLAS here: apt-get install libopenblas0, or say --native-blas LIBRARY"
            return Reply(None, why, missing=True)
        words += ["--blas", args.native_blas]
    return args.launcher.run(contestant.peer, words, contestant.elsewhere)


def progress_line(run: runs.Run) -> str:
    """A run in a line."""
    setting = "".join(f" {name}={value}" for name, value in run.setting.items())
    who = f"{run.contestant}{setting}, {run.repeat}: "
    if run.answer is None:
        return f"{who}skipped: {run.skipped}"
    best = max((line["accuracy"] for line in run.answer["epochs"]), default=0)
    took = tables.seconds(runs.epoch_seconds(run.answer))
    return f"{who}{took} per epoch, loaded in {tables.seconds(run.answer['load'])}, accuracy {best:.4f}"


@contextmanager
def data_of(args: argparse.Namespace) -> Iterator[Path]:
    """The folder with the four files; DataError where one is missing. With --quick, one with their first rows."""
    paths = {
        (kind, part): digits.path(args.data, kind, part)
        for kind in ("images", "labels")
        for part in QUICK_ROWS
    }
    for path in paths.values():
        if not path.is_file():
            raise DataError(f"no file {path}; python generate_data.py writes it")
    if not args.quick:
        yield Path(args.data).resolve()
        return
    with tempfile.TemporaryDirectory() as name:
        for (kind, part), path in paths.items():
            with open(path) as lines, open(digits.path(name, kind, part), "w") as out:
                out.writelines(line for _, line in zip(range(QUICK_ROWS[part]), lines, strict=False))
        yield Path(name)


# ---- writing ----


def render(results: Path, document: Path, only: list[str]) -> None:
    """Tables and pictures of the sections asked for, from what was saved."""
    paths = [results / f"{section}.json" for section in sorted(set(sections.SECTIONS.values()))]
    measured = {path.stem: runs.read(path) for path in paths if path.exists()}
    if not measured:
        raise DataError(f"{results}: expected results of bench.py, found none")
    text = document.read_text()
    for name, table in tables_of(measured, only).items():
        text = tables.put(text, name, table, str(document))
    pictured = draw(measured, only, document.with_suffix(""))
    document.write_text(text)
    print("written:", ", ".join(map(str, [document, *pictured])))


def tables_of(measured: dict[str, runs.Results], only: list[str]) -> dict[str, str]:
    """The Markdown that belongs between each pair of markers."""
    made = {"machine": tables.machine(list(measured.values()))}
    for name, (section, table) in tables.TABLES.items():
        asked_for = name in only or (name == "phases" and "speed" in only)
        if asked_for and section in measured and (made_table := table(measured[section])):
            pictured = name in pictures.PICTURES and measured[section].answered
            picture = f"\n\n![{pictures.DESCRIPTIONS[name]}](benchmarks/{name}.png)" if pictured else ""
            made[name] = made_table + picture
    return made


def draw(measured: dict[str, runs.Results], only: list[str], folder: Path) -> list[Path]:
    """Save the pictures of the sections asked for."""
    folder.mkdir(exist_ok=True)
    with house_style():
        return [
            save(picture(measured[section]), folder / f"{name}.png")
            for name, (section, picture) in pictures.PICTURES.items()
            if name in only and section in measured and measured[section].answered
        ]


def refuse_without_markers(document: Path, only: list[str]) -> None:
    """DataError before hours of measuring, not after, where a table would have no place."""
    if not document.is_file():
        raise DataError(f"no file {document}")
    text = document.read_text()
    for name in ["machine", *only, *(["phases"] if "speed" in only else [])]:
        tables.put(text, name, "", str(document))


if __name__ == "__main__":
    sys.exit(entry.run("bench.py", commandline.parse, main))

"""Made-up tables as people write them, whose true rows are known, and what the other two programs read."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import warnings
from pathlib import Path

import numpy as np

from nn.cli import ownership
from nn.cli.parser import parse
from nn.core.errors import UserError
from nn.data import dialect, first_lines
from nn.data.columns import Columns
from nn.data.labels import LabelReader
from nn.datasets.options import read_options
from nn.plotting import options as plot_options
from nn.plotting.report.page import page_of
from nn.plotting.report.run import values_of
from nn.plotting.run_files import READERS
from nn.plotting.textfiles import BadFileError, NotDrawableError
from nn.spark.input.parsing import Parsed, parse_images
from nn.spark.storage.local import LocalFolder
from nn.spark.storage.run_directory import Output
from tests.robustness.fuzzing_common import ACCEPTED, HOSTILE, NUMBERS, REFUSED, WRONG, Random, bent, one_line

ABOVE = [  # what may stand above the rows of a table
    "rows",
    "names",
    "numbers from 0",
    "numbers from 1",
    "numbers made different",
    "a name and numbers",
    "quoted names",
    "another number of names",
    "a sentence",
    "the size of the table",
    "blank",
]


def table(random: Random) -> str:
    """The lines of one file: something above the rows, rows, and perhaps one fault; the true rows are known."""
    width, mark = random.randint(1, 14), random.choice([",", ";", "\t", "|", " "])
    rows = [[random.choice(NUMBERS[:6]) for _ in range(width)] for _ in range(random.randint(1, 12))]
    if random.random() < 0.15:
        fault = random.choice(["NA", "", "?", "setosa", "True", "2024-01-02", "1:5", '"3"', *WRONG])
        if mark not in fault:  # else it is two values
            rows[random.randrange(len(rows))][random.randrange(width)] = fault
    above = random.choice(ABOVE)
    header = random.choice(["auto", "auto", "auto", "yes", "no"])
    heading = _above(random, above, width, mark)
    above = above if heading else "rows"
    lines = [*heading, *(mark.join(row) for row in rows)]
    skip = random.choice([0, 0, 0, 1, 2])
    lines = [random.choice(["made by me", "", "1,2,3"]) for _ in range(skip)] + lines
    if random.random() < 0.05:
        lines += [""] * random.randint(1, 3)
    rows_read = _read(lines, header, skip)
    if isinstance(rows_read, str):
        one_line(rows_read)
        return REFUSED
    values, layout_found, was_header = rows_read
    true = _numbers(rows)
    bare = _numbers([line.split(layout_found.separator) for line in lines[skip:] if line.strip()])
    if header == "yes":
        taken = true if above != "rows" else _numbers(rows[1:])
    elif header == "no":
        taken = bare
    elif above == "rows" or (above.startswith("numbers") and not was_header):
        # A first row that reads like a header is taken for one, and too few numbers are not known as one.
        taken = _numbers(rows[1:]) if was_header else bare
    else:
        taken = true
    is_same = taken is not None and np.array_equal(values.ravel(), taken.ravel())
    assert is_same and len(values) == len(taken), f"{lines} read as {values.tolist()}"
    return ACCEPTED


def _above(random: Random, kind: str, width: int, mark: str) -> list[str]:
    fields = {
        "rows": [],
        "blank": [],
        "names": [f"c{n}" for n in range(width)],
        "quoted names": [f'"c {n}"' if mark != " " else f'"c{n}"' for n in range(width)],
        "numbers from 0": [str(n) for n in range(width)],
        "numbers from 1": [str(n + 1) for n in range(width)],
        "numbers made different": ["0", *(f"0.{n}" for n in range(1, width))],
        "a name and numbers": ["label", *map(str, range(width - 1))],
        "another number of names": [f"c{n}" for n in range(width + random.choice([-1, 1]))],
        "a sentence": ["written", "by", "R"],
        "the size of the table": ["150", str(width), "setosa"],
    }[kind]
    return [mark.join(fields)] if fields else [""] if kind == "blank" else []


def _read(lines: list[str], header: str, skip: int) -> tuple[np.ndarray, dialect.Dialect, bool] | str:
    """(rows, layout, whether the first line was a header), or the line by which the file is refused."""
    looked_at = lines[: skip + dialect.LOOKED_AT]
    if not any(line.strip() for line in looked_at[skip:]):
        return "nothing"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = first_lines.inspect(looked_at, header, skip, False, lambda: "\n".join(lines).encode()[:16])
        if first.fault is not None:
            return first_lines.error_message(first.fault, "x.csv", skip, False)
        encoded = (line.encode("utf-8", "surrogatepass") for line in lines)
        *parts, stats = parse_images(
            first.dialect,
            Columns(first.dialect.width, tuple(range(first.dialect.width))),
            LabelReader(),
            (),
            0,
            True,
            encoded,
        )
    assert stats.lines == len(lines)
    if stats.fault is not None:
        return str(stats.fault)
    values = [part.inputs for part in parts if isinstance(part, Parsed)]
    rows = (
        np.concatenate(values).astype(np.float32)
        if values
        else np.empty((0, first.dialect.width), np.float32)
    )
    return rows, first.dialect, first.has_header


def _numbers(rows: list[list[str]]) -> np.ndarray | None:
    """The rows as numbers, or None where they are none of one width."""
    if not rows:
        return np.empty((0, 0), np.float32)
    if len({len(row) for row in rows}) > 1:
        return None
    try:
        numbers = [[float(field) for field in row] for row in rows]
    except ValueError:
        return None
    return np.array(numbers, np.float64).astype(np.float32).reshape(len(rows), -1)


# ---- the other programs ----

WORDS = [
    "--",
    "",
    "-",
    "-1",
    "0",
    "7",
    "1e9",
    "9" * 30,
    "mnist",
    "compact",
    "nowhere",
    HOSTILE,
    "\udcff",
    "--debug",
    "x" * 3000,
]
DATA_OPTIONS = ["dataset", "from", "digits", "limit", "train-rows", "test-rows", "seed", "output", "format"]


def program_words(random: Random) -> str:
    """A command line of generate_data.py or generate_plots.py; nothing is downloaded, written or drawn."""
    names = DATA_OPTIONS if random.random() < 0.6 else ["format", "formats"]
    words = []
    for _ in range(random.randint(0, 3)):
        name = f"--{random.choice(names)}"
        words += [f"{name}={random.choice(WORDS)}"] if random.random() < 0.5 else [name, random.choice(WORDS)]
    if names is not DATA_OPTIONS or random.random() < 0.1:
        words += random.sample(WORDS, random.randint(0, 3))
    shown = io.StringIO()
    with contextlib.redirect_stderr(shown), contextlib.redirect_stdout(io.StringIO()):
        try:
            read_options(words) if names is DATA_OPTIONS else plot_options.read_options(words)
        except SystemExit as stop:
            assert stop.code == 2, (words, stop.code)
            line = shown.getvalue()
            assert line.endswith("\n"), (words, line)
            one_line(line.removesuffix("\n"))
            return REFUSED
    assert not shown.getvalue(), (words, shown.getvalue())
    return ACCEPTED


FILES = {
    "history.csv": "epoch,cost,accuracy,learning_rate,accepted,rows,seconds,val_cost,val_accuracy\n"
    "1,0.5,0.25,0.1,1,10,0.2,,\n2,0.4,0.5,0.1,0,10,0.2,,\n",
    "confusion_matrix.csv": "truth\\prediction,0,1\n0,3,1\n1,0,4\n",
    "examples.csv": "row,label,prediction,probability,x0,x1,x2,x3\n0,1,1,0.9,0,1,2,3\n1,0,1,0.6,4,5,6,7\n",
    "summary.json": json.dumps(
        {
            "data": {"name": "x", "class_names": None},
            "test": {
                "accuracy": 0.5,
                "macro": {"precision": 0.5, "recall": 0.5, "f1": 0.5},
                "classes": [{"class": n, "precision": 0.5, "recall": 0.5, "f1": 0.5} for n in range(2)],
            },
        }
    ),
}


def plot_file(random: Random) -> str:
    """A file of a run, changed a little, as generate_plots.py reads it for pictures and for its page."""
    name = random.choice(list(FILES))
    content = FILES[name].encode()
    if random.random() < 0.9:
        content = bent(random, content)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        try:
            READERS[name](path)
            page_of([{**values_of(Path(folder)), "label": ""}])
        except (BadFileError, NotDrawableError) as reason:
            one_line(str(reason))
            return REFUSED
    return ACCEPTED


# ---- OUTPUT ----

RUN = {
    "config.json": json.dumps(parse(["a", "b", "c", "d", "out"]).for_cluster(2).resolved(), indent=2) + "\n",
    "history.csv": FILES["history.csv"],
    "confusion_matrix.csv": FILES["confusion_matrix.csv"],
    "examples.csv": FILES["examples.csv"],
    "cost_history/part-00000": "0.5\n",
    "metrics/part-00000": "(0.5, 0.5, 0.5)\n",
    "cost_history/_SUCCESS": "",
    "_SUCCESS": "",
}
STRANGERS = [
    "x",
    "\n",
    "{}",
    '{"partitions": 2, "epochs": 3}',
    "0.5,0.5\nlabel\n",
    "[1, 2]",
    "PK\x03\x04",
    HOSTILE,
]


def output_folder(random: Random) -> str:
    """A run's folder in which one file may be another's; --overwrite may replace nothing that is not a run's."""
    files = dict(RUN)
    for _ in range(random.choice([0, 1, 1, 2])):
        files.pop(random.choice([name for name in files if name != "config.json"]))
    stranger = random.random() < 0.7
    if stranger:
        name = random.choice([*files, "model.npz", "summary.json", "tests/part-00000", "metrics/notes.txt"])
        files[name] = random.choice(STRANGERS)
    if random.random() < 0.3:
        files["thesis.tex"] = "kept"  # beside the run's files, which nothing touches
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        try:
            ownership.check(Output(LocalFolder(folder)), overwrite=True, resume=False)
        except UserError as error:
            one_line(str(error))
            assert stranger, (files, str(error))
            return REFUSED
    assert not stranger, files
    return ACCEPTED

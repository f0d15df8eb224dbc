"""What a run would do, told from what lies on this machine: nothing is started and nothing is written."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, NamedTuple

import numpy as np

from nn.cli import ownership, report
from nn.cli.options import PEEKED, Options
from nn.core import tree
from nn.core.errors import DataError, MissingFileError
from nn.data import csv, dialect, first_lines
from nn.data.columns import Columns
from nn.data.dialect import Dialect, is_header
from nn.data.first_lines import FirstLines
from nn.models.sequential import Sequential
from nn.spark.input.text_source import COMPRESSED
from nn.training.loop import Optimizer, Plan, jobs_an_epoch

ENOUGH = 10_000  # lines whose labels are looked at together; where they stand beside the images, no more than these
DATA = ("train_images", "train_labels", "test_images", "test_labels")
STRIDE = 1 << 24  # bytes read at a time
TAIL = 1 << 16  # bytes at a file's end in which its empty lines lie


class Facts(NamedTuple):
    """What can be known of the training data without Spark."""

    rows: int
    width: int
    classes: int
    bytes: int  # that the rows will take in memory


def lines(asked: Options) -> str:
    """The plan of a run: data, network, training, jobs and what they carry.

    Raises DataError for what is plainly wrong with the files that lie here, UsageError and PlatformError for an
    OUTPUT here that the run would refuse.
    """
    refuse(asked)
    away = elsewhere(asked)
    notes = "".join(
        f"note      {name}: no plain text on this machine, nothing is said of it\n" for name in away
    )
    facts = look(asked)
    if facts is None:
        width = "" if asked.recipe.input_shape else "; --input-shape would say their width"
        return (
            f"dry run   nothing was started\n{notes}"
            f"network   known only when Spark reads TRAIN_IMAGES and TRAIN_LABELS{width}"
        )
    partitions = asked.partitions
    asked = asked.for_replicas(facts.rows, partitions or 1)
    model = asked.model(facts.width, facts.classes, 1.0)
    split = asked.split(np.arange(facts.rows) % facts.classes, facts.classes)
    plan = asked.recipe.plan(split.train_rows)
    optimizer = asked.recipe.optimizer_for(plan)
    many = [report.many_jobs_note(plan, optimizer)] if report.many_jobs(plan, optimizer) else []
    held = f" ({split.validation_rows:,} held out for validation)" if split.validation_rows else ""
    pieces = f"{partitions} partitions" if partitions else "as many partitions as tasks run at once"
    return (
        "dry run   nothing was started\n"
        f"data      {facts.rows:,} training rows{held} of {facts.width} values, {facts.classes} classes; "
        f"{bytes_of(facts.bytes)} in memory, in {pieces}\n"
        f"{notes}{report.plan_lines(asked.recipe, model, many)}"
        f"{_jobs(plan, optimizer, _no_params(model))}"
    )


def refuse(asked: Options) -> None:
    """Raise as the run would, of an OUTPUT and of data whose places are on this machine."""
    if _is_here(asked.output):
        ownership.refuse_here(asked, local_path(asked.output) or "")
    with asked.telling_how_to_get_data():
        for name in DATA:
            place = getattr(asked, name)
            if place != "-" and _is_here(place) and not _exists(local_path(place) or ""):
                raise MissingFileError(f"{name.upper()}: no such file or folder: {place}")


def _is_here(path: str) -> bool:
    """Whether a path is one of this machine: one without a scheme is the default file system's, which Hadoop sets."""
    is_plain = local_path(path) == path
    is_set = any(os.environ.get(name) for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"))
    return local_path(path) is not None and not (is_plain and is_set)


def _exists(path: str) -> bool:
    """Whether something lies at a local path or glob; of braces, which only Hadoop's globs have, that is not known."""
    return "{" in path or os.path.exists(path) or bool(glob.glob(path))


def _no_params(model: Sequential) -> list[dict[str, np.ndarray]]:
    """Arrays of the shapes of the model's parameters, which take no memory."""
    nothing = np.float32(0)
    return [
        {key: np.broadcast_to(nothing, shape) for key, shape in shapes.items()}
        for shapes, _ in model.shapes()
    ]


def _jobs(plan: Plan, optimizer: Optimizer, params: tree.Tree) -> str:
    """How many Spark jobs an epoch takes and what each of them carries."""
    jobs, state = jobs_an_epoch(plan, optimizer), optimizer.init(params)
    size = tree.bytes_of(params)
    what = "parameters", "gradients"
    if plan.rounds is not None:
        size += tree.bytes_of(state["slots"]["inner"])
        what = "parameters and what the optimiser keeps beside them", "their changes"
    return (
        f"jobs      {jobs} an epoch, {jobs * plan.epochs:,} in all\n"
        f"step      {bytes_of(size)} of {what[0]} to every task, as many of {what[1]} back from every partition"
    )


def elsewhere(asked: Options) -> list[str]:
    """The arguments behind which no plain text lies on this machine."""
    places = ((name, getattr(asked, name)) for name in DATA)
    return [name.upper() for name, place in places if place != "-" and not local_files(place)]


def look(asked: Options) -> Facts | None:
    """What the local files say; None where they are not local, or packed.

    Raises DataError for an empty file, a column that is not there and a label that is none.
    """
    images = local_files(asked.train_images)
    beside = asked.train_labels == "-"
    labels = images if beside else local_files(asked.train_labels)
    if not images or not labels:
        return None
    first = _first_lines("TRAIN_IMAGES", images, asked)
    if first is None:
        return None
    columns = Columns.of(
        first.dialect.width, asked.train_images, asked.label_column if beside else None, asked.weight_column
    )
    sample = csv.to_array([first.row.encode()], first.dialect)
    width = first.dialect.width - len(columns.excluded)
    size = csv.compact(sample).itemsize if isinstance(sample, np.ndarray) else 4
    rows = sum(count_rows(path, first.dialect) for path in images)
    if not rows:
        raise DataError(f"TRAIN_IMAGES: expected rows of numbers, found none in {asked.train_images}")
    name, of_labels = (
        ("TRAIN_IMAGES", first) if beside else ("TRAIN_LABELS", _first_lines("TRAIN_LABELS", labels, asked))
    )
    if of_labels is None:
        raise DataError(
            f"{name}: {labels[0]}, line 1: expected a label, found a line of more than {PEEKED:,} bytes"
        )
    return Facts(rows, width, _classes(name, labels, of_labels.dialect, columns.label), rows * width * size)


def _first_lines(argument: str, files: list[str], asked: Options) -> FirstLines | None:
    """Look at the first lines of the first file that is not empty; None where they have no end.

    Raises DataError where there are none, or the first is neither a header nor a row.
    """
    path = next((each for each in files if os.path.getsize(each)), files[0])
    header, skip = asked.of_first_lines
    with open(path, "rb") as file:
        lines = [file.readline(PEEKED) for _ in range(skip + dialect.LOOKED_AT)]
    if max(map(len, lines)) >= PEEKED:
        return None
    texts = [line.decode("utf-8", errors="replace").strip() for line in lines]
    if not any(texts[skip:]):
        raise DataError(f"{argument}: expected rows of numbers, found nothing in {path}")
    found = first_lines.inspect(texts, header, skip, argument.endswith("LABELS"), lambda: b"".join(lines))
    if found.fault is not None:
        raise DataError(f"{argument}: {first_lines.error_message(found.fault, path, skip, len(files) > 1)}")
    return found


def local_path(path: str) -> str | None:
    """A path as the operating system takes it; None where its scheme names another file system."""
    scheme = re.match("[A-Za-z][A-Za-z0-9+.-]*(?=:/)", path)
    if scheme is None or scheme[0] == "file":
        return re.sub("^file:(//)?(?=/)", "", path)
    return None


def local_files(path: str) -> list[str]:
    """The plain text files behind a local path, folder or glob, sorted; none where it is not local, or packed."""
    local = local_path(path)
    if local is None:
        return []
    path = local
    found = (
        glob.glob(os.path.join(glob.escape(path), "*")) if os.path.isdir(path) else glob.glob(path) or [path]
    )
    files = [each for each in sorted(found) if os.path.isfile(each) and os.path.basename(each)[0] not in "._"]
    return [] if any(each.endswith(COMPRESSED) for each in files) else files


def count_rows(path: str, dialect: Dialect) -> int:
    """Count the lines of a file but for those to skip, a header, and the empty ones at its end."""
    newlines, tail = 0, b""
    with open(path, "rb") as file:
        first = [file.readline(PEEKED) for _ in range(dialect.skip + 1)][-1].decode("utf-8", errors="replace")
        file.seek(0)
        while part := file.read(STRIDE):
            newlines += part.count(b"\n")
            tail = (tail + part)[-TAIL:]
    blank = tail[len(tail.rstrip()) :]
    if len(blank) == len(tail):
        return 0
    return max(newlines - blank.count(b"\n") + 1 - dialect.skip - is_header(first, dialect), 0)


def _classes(argument: str, files: list[str], dialect: Dialect, column: int | None) -> int:
    """One more than the largest class number; of labels beside images, in the first ENOUGH rows."""
    most = 2
    for path in files if column is None else files[:1]:
        with open(path, "rb") as file:
            before = 0  # lines
            while lines := [line.rstrip(b"\r\n") for line in csv.next_lines(_lines(file), ENOUGH)]:
                classes = _classes_of(lines, dialect, column, before)
                if isinstance(classes, csv.LineError):
                    fault = classes._replace(line=classes.line + before)
                    raise DataError(
                        f"{argument}: {first_lines.error_message(fault, path, dialect.skip, len(files) > 1)}"
                    )
                most, before = max(most, classes), before + len(lines)
                if column is not None:
                    break
    return most


def _classes_of(lines: list[bytes], dialect: Dialect, column: int | None, before: int) -> int | csv.LineError:
    """One more than the largest class number in some lines; `before` stand above them."""
    most = 0
    for part in csv.parse(iter(lines), dialect, starts_file=not before):
        if isinstance(part, csv.PieceEnd):
            return part.fault or most
        labels = csv.to_labels(part.values if column is None else part.values[:, [column]], part.line)
        if isinstance(labels, csv.LineError):
            return labels
        most = max(most, int(labels.max()) + 1)
    return most


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; one of more than PEEKED bytes comes in pieces, which are no rows."""
    return iter(partial(file.readline, PEEKED), b"")


def bytes_of(size: int) -> str:
    """A size as a person says it."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"

"""--dry-run: print the plan of a run from the files on this machine; start nothing and write nothing."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import BinaryIO, NamedTuple

import numpy as np

from nn.cli import ownership, report
from nn.cli.options import PEEKED, Options
from nn.core import format, tree
from nn.core.errors import DataError, MissingFileError
from nn.data import csv, dialect, first_lines
from nn.data.columns import Columns
from nn.data.dialect import Dialect, is_header
from nn.data.first_lines import FirstLines
from nn.models.sequential import Sequential
from nn.spark.input.formats import AUTO, TEXT, format_of
from nn.spark.input.text_source import COMPRESSED
from nn.training import backend
from nn.training.run import TrainingRun
from nn.training.run_options import DATA_PATHS

LABEL_LINES = 10_000  # lines in which labels are read if they are a column of the images


class Facts(NamedTuple):
    """Facts of the training data, read without Spark."""

    rows: int
    width: int
    classes: int
    bytes: int  # of the rows in memory


def lines(options: Options) -> str:
    """Return the plan of a run as lines: data, network, training, number of Spark jobs and bytes per step.

    Raises DataError for faults of local files, UsageError and PlatformError for a local OUTPUT that the run would
    refuse.
    """
    refuse(options)
    notes = report.note_lines(
        f"{name}: not read, it is no plain text on this machine" for name in elsewhere(options)
    )
    facts = read_facts(options)
    if facts is None:
        hint = "" if options.recipe.input_shape else "; --input-shape would give the width of a row"
        return (
            f"dry run   nothing was started\n{notes}"
            f"network   known only after Spark reads TRAIN_IMAGES and TRAIN_LABELS{hint}"
        )
    partitions = options.partitions
    labels = np.arange(facts.rows) % facts.classes
    run = options.training_run(backend.Facts(facts.width, labels, facts.classes, partitions=partitions or 1))
    count = run.split.validation_rows
    held_out = f" ({count:,} held out for validation)" if count else ""
    pieces = f"{partitions} partitions" if partitions else "as many partitions as tasks run at once"
    return (
        "dry run   nothing was started\n"
        f"data      {facts.rows:,} training rows{held_out} of {facts.width} values, {facts.classes} classes; "
        f"{format.size(facts.bytes)} in memory, in {pieces}\n"
        f"{notes}{report.plan_lines(run.recipe, run.model, report.many_jobs_notes(run))}"
        f"{_jobs(run, _no_params(run.model))}"
    )


def refuse(options: Options) -> None:
    """Raise the run's errors on OUTPUT and on missing data, if their paths are on this machine."""
    if _is_local(options.output):
        ownership.refuse_here(options, local_path(options.output) or "")
    with options.get_data_hint():
        for name in DATA_PATHS:
            path = getattr(options, name)
            if path != "-" and _is_local(path) and not _exists(local_path(path) or ""):
                raise MissingFileError(f"{name.upper()}: no such file or folder: {path}")


def _is_local(path: str) -> bool:
    """Return whether a path is on this machine; one without a scheme may not be, if Hadoop has settings."""
    has_no_scheme = local_path(path) == path
    has_settings = any(os.environ.get(name) for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"))
    return local_path(path) is not None and not (has_no_scheme and has_settings)


def _exists(path: str) -> bool:
    """Return whether a local path or glob exists; assume so for braces, which only Hadoop's globs have."""
    return "{" in path or os.path.exists(path) or bool(glob.glob(path))


def _no_params(model: Sequential) -> list[dict[str, np.ndarray]]:
    """Return arrays in the shapes of the model's parameters that take no memory."""
    zero = np.float32(0)
    return [
        {key: np.broadcast_to(zero, shape) for key, shape in shapes.items()} for shapes, _ in model.shapes()
    ]


def _jobs(run: TrainingRun, params: tree.Tree) -> str:
    """Return the lines on the number of Spark jobs and on the bytes that each of them sends."""
    jobs, state = run.jobs_per_epoch(), run.optimizer.init(params)
    size = tree.bytes_of(params)
    sent, returned = "parameters", "gradients"
    if run.plan.rounds is not None:
        size += tree.bytes_of(state["slots"]["inner"])
        sent, returned = "parameters and optimizer state", "their changes"
    return (
        f"jobs      {jobs} per epoch, {jobs * run.plan.epochs:,} in all\n"
        f"step      {format.size(size)} of {sent} to every task, as many of {returned} back from every partition"
    )


def elsewhere(options: Options) -> list[str]:
    """Return the arguments whose files are not plain text on this machine."""
    paths = {name: getattr(options, name) for name in DATA_PATHS}
    return [name.upper() for name, path in paths.items() if path != "-" and not local_files(path)]


def read_facts(options: Options) -> Facts | None:
    """Read the facts of the training data; return None if its files are not local, or compressed.

    Raises DataError for an empty file, a missing column and a label that is none.
    """
    images = local_files(options.train_images)
    if not _is_text(images, options.format):
        return None
    in_images = options.train_labels == "-"
    labels = images if in_images else local_files(options.train_labels)
    if not images or not labels:
        return None
    first = _first_lines("TRAIN_IMAGES", images, options)
    if first is None:
        return None
    roles = options.sources()[0].roles
    columns = Columns.of(roles, first.names, first.dialect.width, options.train_images)
    sample = csv.to_array([first.row.encode()], first.dialect)
    width = len(columns.inputs)
    size = csv.compact(sample).itemsize if isinstance(sample, np.ndarray) else 4
    rows = sum(count_rows(path, first.dialect) for path in images)
    if not rows:
        raise DataError(f"TRAIN_IMAGES: expected rows of numbers, found none in {options.train_images}")
    name, of_labels = (
        ("TRAIN_IMAGES", first)
        if in_images
        else ("TRAIN_LABELS", _first_lines("TRAIN_LABELS", labels, options))
    )
    if of_labels is None:  # names, or a line of more than PEEKED bytes
        return None
    return Facts(
        rows, width, count_classes(name, labels, of_labels.dialect, columns.label), rows * width * size
    )


def _first_lines(argument: str, files: list[str], options: Options) -> FirstLines | None:
    """Read the first lines of the first file that is not empty; return None if one is longer than PEEKED bytes.

    Raises DataError if there are none, or the first is neither a header nor a row.
    """
    path = next((file for file in files if os.path.getsize(file)), files[0])
    header, skip = options.of_first_lines
    with open(path, "rb") as file:
        lines = [file.readline(PEEKED) for _ in range(skip + dialect.LOOKED_AT)]
    if max(map(len, lines)) >= PEEKED:
        return None
    texts = [line.decode("utf-8", errors="replace").strip() for line in lines]
    if not any(texts[skip:]):
        raise DataError(f"{argument}: expected rows of numbers, found nothing in {path}")
    first = first_lines.inspect(texts, header, skip, argument.endswith("LABELS"), lambda: b"".join(lines))
    if first.fault is not None and first.fault.in_cell and options.format in (None, AUTO):
        return None  # a table with texts or gaps
    if first.fault is not None:
        raise DataError(f"{argument}: {first_lines.error_message(first.fault, path, skip, len(files) > 1)}")
    return first


def _is_text(images: list[str], format: str | None) -> bool:
    """Return whether files are text of numbers, as far as their first bytes say."""
    if format not in (None, AUTO, TEXT) or not images:
        return format in (None, AUTO, TEXT)
    path = next((file for file in images if os.path.getsize(file)), images[0])
    with open(path, "rb") as file:
        return format_of(path, file.read(PEEKED)) == TEXT


def local_path(path: str) -> str | None:
    """Return a path as the operating system takes it; None if its scheme names another file system."""
    scheme = re.match("[A-Za-z][A-Za-z0-9+.-]*(?=:/)", path)
    if scheme is None or scheme[0] == "file":
        return re.sub("^file:(//)?(?=/)", "", path)
    return None


def local_files(path: str) -> list[str]:
    """Return the plain text files of a local path, folder or glob, sorted; none if it is not local, or compressed."""
    local = local_path(path)
    if local is None:
        return []
    pattern = os.path.join(glob.escape(local), "*") if os.path.isdir(local) else local
    paths = sorted(glob.glob(pattern) or [local])
    files = [path for path in paths if os.path.isfile(path) and os.path.basename(path)[0] not in "._"]
    return [] if any(path.endswith(COMPRESSED) for path in files) else files


def count_rows(path: str, dialect: Dialect) -> int:
    """Count the rows of a file: its lines without those to skip, a header, and blank lines at the end."""
    last, header = 0, False
    with open(path, "rb") as file:
        for number, line in enumerate(_lines(file), 1):
            if number == dialect.skip + 1:
                header = is_header(line.decode("utf-8", errors="replace"), dialect)
            if not line.isspace():
                last = number
    return max(last - dialect.skip - header, 0)


def count_classes(argument: str, files: list[str], dialect: Dialect, column: int | None) -> int:
    """Return one more than the largest class number, at least 2.

    Labels in a column of the images are read in the first LABEL_LINES lines of the first file alone. Raises DataError
    for a label that is none.
    """
    classes = 2
    labels: np.ndarray | csv.LineError | None
    for path in files if column is None else files[:1]:
        with open(path, "rb") as file:
            lines = (line.rstrip(b"\r\n") for line in _lines(file))
            for part in csv.parse(lines if column is None else islice(lines, LABEL_LINES), dialect):
                if isinstance(part, csv.PieceEnd):
                    labels = part.fault
                else:
                    values = part.values if column is None else part.values[:, [column]]
                    labels = csv.to_whole_labels(values, part.line)
                if isinstance(labels, csv.LineError):
                    message = first_lines.error_message(labels, path, dialect.skip, len(files) > 1)
                    raise DataError(f"{argument}: {message}")
                if labels is not None:
                    classes = max(classes, int(labels.max()) + 1)
    return classes


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; one of more than PEEKED bytes in pieces, so that it takes no more memory."""
    return iter(partial(file.readline, PEEKED), b"")

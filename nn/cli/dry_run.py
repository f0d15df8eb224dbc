"""--dry-run: print the plan of a run from the files on this machine; start nothing and write nothing.

The network and its training depend on the width of a row, in the first line of TRAIN_IMAGES, and on the labels. Only
the labels are read whole; Spark alone reads and checks the images.
"""

from __future__ import annotations

import glob
import os
import re

import numpy as np

from nn.cli import ownership, report
from nn.cli.options import PEEKED, Options
from nn.core import format, tree
from nn.core.errors import DataError, MissingFileError
from nn.data import csv, dialect, first_lines
from nn.data.columns import Columns
from nn.data.dialect import Dialect
from nn.data.first_lines import FirstLines
from nn.data.labels import decoder_of
from nn.models.sequential import Sequential
from nn.spark.input.formats import AUTO, TEXT, format_of
from nn.spark.input.text_source import COMPRESSED
from nn.training.backend import Facts
from nn.training.run import TrainingRun
from nn.training.run_options import DATA_PATHS


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
    run = options.training_run(facts)
    count = run.split.validation_rows
    validation = f" ({count:,} held out for validation)" if count else ""
    partitions = options.partitions or "as many"
    as_many = "" if options.partitions else " as tasks run at once"
    return (
        "dry run   nothing was started\n"
        f"data      {len(facts.labels):,} training rows{validation} of {facts.width} values, {facts.classes} classes, "
        f"in {partitions} partitions{as_many}\n"
        f"{notes}{report.plan_lines(run)}"
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
        size += tree.bytes_of(state.slots.inner)
        sent, returned = "parameters and optimizer state", "their changes"
    return (
        f"jobs      {jobs} per epoch, {jobs * run.plan.epochs:,} in all\n"
        f"step      {format.size(size)} of {sent} to every task, as much of {returned} back from every partition"
    )


def elsewhere(options: Options) -> list[str]:
    """Return the arguments whose files are not plain text on this machine."""
    paths = {name: getattr(options, name) for name in DATA_PATHS}
    return [name.upper() for name, path in paths.items() if path != "-" and not local_files(path)]


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


def read_facts(options: Options) -> Facts | None:
    """Read the width of a row and all labels; return None if their files are not local text of numbers, or compressed.

    Raises DataError for an empty file, a missing column and an invalid label.
    """
    in_images = options.train_labels == "-"
    images = local_files(options.train_images)
    files = images if in_images else local_files(options.train_labels)
    if not images or not files or not _is_text(images, options.format):
        return None
    if (first := _first_lines("TRAIN_IMAGES", images, options)) is None:
        return None
    columns = Columns.of(options.sources()[0].roles, first.names, first.dialect.width, options.train_images)
    argument = "TRAIN_IMAGES" if in_images else "TRAIN_LABELS"
    of_labels = first if in_images else _first_lines(argument, files, options)
    if of_labels is None:  # names, or a line of more than PEEKED bytes
        return None
    labels = _read_labels(argument, files, of_labels.dialect, columns.label)
    if options.recipe.is_regression:
        return Facts(len(columns.inputs), labels.astype(np.float64), 1, partitions=options.partitions or 1)
    labeled, numbers = decoder_of(labels, argument)
    classes = max(2, int(numbers.max()) + 1)
    return Facts(len(columns.inputs), numbers, classes, 1.0, options.partitions or 1, labeled=labeled)


def _first_lines(argument: str, files: list[str], options: Options) -> FirstLines | None:
    """Read the first lines of the first file that is not empty; return None if one is longer than PEEKED bytes.

    Raises DataError if there are none, or the first is neither a header nor a row.
    """
    path = next((file for file in files if os.path.getsize(file)), files[0])
    header, skip = options.first_line_rules
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


def _read_labels(argument: str, files: list[str], dialect: Dialect, column: int | None) -> np.ndarray:
    """Parse the label of every row, (n,) int16, which is in a column of the images if `column` is not None.

    Raises DataError for a line that is no row, an invalid label, and files without rows.
    """
    parts: list[np.ndarray] = []
    labels: np.ndarray | csv.LineError | None
    for path in files:
        with open(path, "rb") as file:
            for part in csv.parse((line.rstrip(b"\r\n") for line in file), dialect):
                if isinstance(part, csv.Chunk):
                    values = part.values if column is None else part.values[:, [column]]
                    labels = csv.to_whole_labels(values, part.line)
                else:
                    labels = part.fault
                if isinstance(labels, csv.LineError):
                    message = first_lines.error_message(labels, path, dialect.skip, len(files) > 1)
                    raise DataError(f"{argument}: {message}")
                if labels is not None:
                    parts.append(labels)
    if not parts:
        raise DataError(f"{argument}: expected rows of numbers, found none in {files[0]}")
    return np.concatenate(parts)

"""Protect files in OUTPUT that no run wrote, and keep other runs out while this one writes.

A run's folder is recognized by its config.json. A file in it is replaced only if it begins like the one that a run
writes, so that another file of the same name stays.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from nn.cli.failure import recorded
from nn.cli.options import AFFECTING_RESULTS, Options
from nn.core.errors import UsageError
from nn.core.options import options_of
from nn.io import model_card
from nn.spark.storage import checkpoints, lock
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.run_directory import (
    CARD,
    CONFIG,
    FILES,
    FOLDERS,
    PART,
    SUCCESS,
    Output,
    content_of,
    is_part,
)
from nn.training.recipe import Recipe
from nn.training.records import Epoch
from nn.training.run_options import DATA_PATHS

# Keys in the configuration of every run from version 0.1.0 on, whatever its options.
ALWAYS = {"partitions", "shuffle_once", "loss", "epochs", "average", "optimizer", "warmup", "l1", "l2"}
ALWAYS |= {*DATA_PATHS, "validation_fraction", "seed"}
HEAD = 2048  # bytes at the start of a file by which it is recognized


@contextmanager
def claimed(
    context: Any, options: Options, output: Output, print_line: Callable[[str], None]
) -> Iterator[None]:
    """Own OUTPUT inside `with`: no other run writes to it. With --check, only check that the run may own it.

    An error that ends the run is written to OUTPUT/_ERROR.json. Raises UsageError if the run may not write there,
    PlatformError if it cannot.
    """
    checked = partial(check, output, options.overwrite, options.resume)
    if options.check:
        lock.refuse_running(output.folder)
        checked()
        yield
        return
    with lock.locked(output.folder, checked, options.resume, print_line), recorded(context, output.folder):
        yield


def refuse_here(options: Options, path: str) -> None:
    """Raise the run's errors on an OUTPUT at a local path; write nothing."""
    output = Output(LocalFolder(os.path.abspath(path)))
    lock.refuse_running(output.folder)
    check(output, options.overwrite, options.resume)


def check(output: Output, overwrite: bool, resume: bool) -> None:
    """Raise UsageError if OUTPUT holds files that the run may not replace, or must not without a flag."""
    folder = output.folder
    folder.check_writable()
    names = content_of(folder)
    if names and not (overwrite or resume):
        count = f"{len(names)} entries" if len(names) > 1 else names[0]
        raise UsageError(
            f"OUTPUT: expected a folder that is new or empty, found {count} in "
            f"{folder.path}; --resume goes on with the run in it, --overwrite replaces what it wrote"
        )
    ours = [name for name in names if name in (SUCCESS, *FILES, *FOLDERS, checkpoints.FOLDER)]
    flag = "--resume" if resume else "--overwrite"
    if (names if resume else ours) and not _is_run_folder(output, names):
        other = f", but {ours[0]}" if ours else ""
        raise UsageError(
            f"{flag}: expected a run's folder as OUTPUT, found no run's {CONFIG} in {folder.path}{other}; "
            "choose another OUTPUT"
        )
    _refuse_other_names(output)
    _refuse_other_files(output, ours, flag)


def _is_run_folder(output: Output, names: list[str]) -> bool:
    """Return whether OUTPUT holds a run's configuration or, if writing that was cut short, a run's checkpoint."""
    if CONFIG in names and output.folder.head(CONFIG, 1):
        with suppress(ValueError):
            return is_configuration(output.config())
        return False
    return any(map(checkpoints.is_manifest, output.folder.names(checkpoints.FOLDER)))


def is_configuration(content: dict[str, Any]) -> bool:
    """Return whether JSON values are a run's configuration: all options that affect results, and no others."""
    if not ALWAYS <= content.keys() <= AFFECTING_RESULTS.keys():
        return False
    try:
        values = {
            name: AFFECTING_RESULTS[name].metadata["reader"].json(value) for name, value in content.items()
        }
        Recipe(**{name: value for name, value in values.items() if name in options_of(Recipe)})
    except ValueError:
        return False
    return True


def _refuse_other_names(output: Output) -> None:
    """Raise UsageError for a file in one of a run's folders that runs do not write."""
    for folder, is_ours in (
        *((folder, is_part) for folder in FOLDERS),
        (checkpoints.FOLDER, checkpoints.is_ours),
    ):
        foreign = [name for name in output.folder.names(folder) if not is_ours(name)]
        if foreign:
            raise UsageError(
                f"OUTPUT: expected only what an earlier run wrote in {output.folder.path}/{folder}, "
                f"found {foreign[0]}"
            )


def _refuse_other_files(output: Output, ours: list[str], flag: str) -> None:
    """Raise UsageError for a file that would be replaced and does not begin like the one that runs write.

    An empty file may be replaced; one that was cut short begins like the whole one.
    """
    for name, is_ours in BEGINNINGS.items():
        if name.partition("/")[0] not in ours:
            continue
        head = output.folder.head(name, HEAD)
        if head and not is_ours(head):
            raise UsageError(
                f"{flag}: expected a file that a run wrote as {output.folder.path}/{name}, found another; move it "
                "elsewhere, or choose another OUTPUT"
            )


def _starts(*words: str) -> Callable[[bytes], bool]:
    """Return a function that returns whether a file starts with one of the strings."""
    return lambda head: head.startswith(tuple(map(str.encode, words)))


def _is_number(head: bytes) -> bool:
    """Return whether a file starts with a line that is a number."""
    with suppress(ValueError):
        float(head.partition(b"\n")[0])
        return True
    return False


def _is_model(head: bytes) -> bool:
    """Return whether a file starts like an .npz archive whose first array describes a network."""
    letters = head.replace(b"\0", b"")  # NumPy takes four bytes for a letter
    return head.startswith(b"PK") and b"config.npy" in letters and b'{"format": ' in letters


# For each file that a run replaces: a function that returns from its first bytes whether a run wrote it.
BEGINNINGS: dict[str, Callable[[bytes], bool]] = {
    SUCCESS: lambda head: False,  # it is empty
    "history.csv": _starts(",".join(Epoch._fields[:7])),
    "confusion_matrix.csv": _starts("truth\\prediction,"),
    "examples.csv": _starts("row,label,prediction,probability,", "row,actual,prediction,error,"),
    "predicted.csv": _starts("row,actual,predicted\n"),
    "summary.json": _starts('{\n  "configuration": {\n    "train_images": '),
    "model.npz": _is_model,
    CARD: _starts(model_card.BEGINNING),
    **{f"{folder}/{PART}": _is_number for folder in ("cost_history", "accuracy_history")},
    **{f"{folder}/{PART}": _starts("(") for folder in ("metrics", "tests")},
    **{f"{folder}/{SUCCESS}": lambda head: False for folder in FOLDERS},
}

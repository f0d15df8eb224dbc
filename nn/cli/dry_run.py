"""--dry-run: print the plan of a run from the files on this machine; start nothing and write nothing.

nn/cli/local_facts.py reads what the network and its training depend on.
"""

from __future__ import annotations

import os

import numpy as np

from nn.cli import ownership, report, starting
from nn.cli.local_facts import read_facts
from nn.cli.local_paths import exists, is_local, local_files, local_path
from nn.cli.options import Options, recipe_errors
from nn.core import files, format, tree
from nn.core.errors import MissingFileError
from nn.models.classifier import content_of, read_model
from nn.models.model_file import SavedModel
from nn.models.sequential import Params, Sequential
from nn.training import pretrained
from nn.training.backend import Facts
from nn.training.run import TrainingRun
from nn.training.run_options import DATA_PATHS


def lines(options: Options) -> str:
    """Return the plan of a run as lines: data, network, training, number of Spark jobs and bytes per step.

    Raises DataError for faults of local files, UsageError and PlatformError for a local OUTPUT that the run would
    refuse.
    """
    refuse(options)
    notes = [f"{name}: not read, it is no plain text on this machine" for name in elsewhere(options)]
    facts, start_from = read_facts(options, notes), _start_from(options, notes)
    if facts is None or (options.start_from is not None and start_from is None):
        is_known = options.recipe.input_shape is not None or facts is not None
        hint = "" if is_known else "; --input-shape would give the width of a row"
        return (
            f"dry run   nothing was started\n{report.note_lines(notes)}"
            f"network   known only after Spark reads {_unread(options)}; the options and OUTPUT were "
            f"checked, --check reads the data too{hint}"
        )
    if start_from is not None:
        with recipe_errors():
            facts = pretrained.adapted(options.recipe, facts, start_from.model)
    run = options.training_run(facts, start_from=start_from)
    count = run.split.validation_rows
    validation = f" ({count:,} held out for validation)" if count else ""
    values = format.counted(facts.width, "value")
    partitions = options.partitions or "as many"
    as_many = "" if options.partitions else " as tasks run at once"
    return (
        "dry run   nothing was started\n"
        f"data      {len(facts.labels):,} training rows{validation} of {values}, {_labels(facts)}, "
        f"in {partitions} partitions{as_many}\n"
        f"{report.note_lines(notes)}{report.plan_lines(run)}"
        f"{_jobs(run)}"
    )


def _start_from(options: Options, notes: list[str]) -> SavedModel | None:
    """Read the model to start from, if there is one on this machine."""
    if options.start_from is None:
        return None
    path = local_path(options.start_from)
    if path is None:
        notes.append("MODEL: not read, it is on no disk of this machine")
        return None
    if not os.path.isfile(path):
        raise MissingFileError(f"MODEL: no such file: {options.start_from}")
    return starting.checked(content_of(read_model(files.read, path, "MODEL: ")), options)


def _unread(options: Options) -> str:
    sets = "TRAIN_IMAGES and TRAIN_LABELS"
    return sets if options.start_from is None else "TRAIN_IMAGES, TRAIN_LABELS and MODEL"


def _labels(facts: Facts) -> str:
    if facts.classes > 1:
        return f"{facts.classes} classes"
    low, high = facts.labels.min(), facts.labels.max()
    return f"a target from {low:.6g} to {high:.6g}"


def refuse(options: Options) -> None:
    """Raise the run's errors on OUTPUT and on missing data, if their paths are on this machine."""
    if is_local(options.output):
        ownership.refuse_here(options, local_path(options.output) or "")
    with options.get_data_hint():
        for name in DATA_PATHS:
            path = getattr(options, name)
            if path != "-" and is_local(path) and not exists(local_path(path) or ""):
                raise MissingFileError(f"{name.upper()}: no such file or folder: {path}")


def _no_params(model: Sequential) -> Params:
    """Return arrays in the shapes of the model's parameters that take no memory."""
    zero = np.float32(0)
    return [
        {key: np.broadcast_to(zero, shape) for key, shape in shapes.items()} for shapes, _ in model.shapes()
    ]


def _jobs(run: TrainingRun) -> str:
    """Return the lines on the number of Spark jobs and on the bytes that each of them sends."""
    params = _no_params(run.model)
    jobs, state = run.jobs_per_epoch(), run.optimizer.init(params[run.recipe.frozen :])
    size, frozen = tree.bytes_of(state.trial), tree.bytes_of(params[: run.recipe.frozen])
    sent, returned = "parameters", "gradients"
    if run.plan.rounds is not None:
        size += tree.bytes_of(state.slots.inner)
        sent, returned = "parameters and optimizer state", "their changes"
    per = "epoch" if run.plan.epochs_per_round == 1 else f"round of {run.plan.epochs_per_round} epochs"
    once = f"; {format.size(frozen)} of frozen weights once" if frozen else ""
    return (
        f"jobs      {jobs} per {per}, {run.plan.jobs_in_all(run.optimizer):,} in all\n"
        f"step      {format.size(size)} of {sent} to every task, as much of {returned} back from every partition{once}"
    )


def elsewhere(options: Options) -> list[str]:
    """Return the arguments whose files are not plain text on this machine."""
    paths = {name: getattr(options, name) for name in DATA_PATHS}
    return [name.upper() for name, path in paths.items() if path != "-" and not local_files(path)]

"""--dry-run: print the plan of a run from the files on this machine; start nothing and write nothing.

nn/cli/local_facts.py reads what the network and its training depend on.
"""

from __future__ import annotations

import numpy as np

from nn.cli import ownership, report
from nn.cli.local_facts import exists, is_local, local_files, local_path, read_facts
from nn.cli.options import Options
from nn.core import format, tree
from nn.core.errors import MissingFileError
from nn.models.sequential import Sequential
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
    facts = read_facts(options, notes)
    if facts is None:
        hint = "" if options.recipe.input_shape else "; --input-shape would give the width of a row"
        return (
            f"dry run   nothing was started\n{report.note_lines(notes)}"
            "network   known only after Spark reads TRAIN_IMAGES and TRAIN_LABELS; the options and OUTPUT were "
            f"checked, --check reads the data too{hint}"
        )
    run = options.training_run(facts)
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
        f"{_jobs(run, _no_params(run.model))}"
    )


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

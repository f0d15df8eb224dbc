"""--resume: check that an earlier run can be continued, and start from its checkpoint."""

from __future__ import annotations

import dataclasses
import platform
from typing import Any, NamedTuple

import numpy as np

from nn import __version__
from nn.cli.options import AFFECTING_RESULTS, Options
from nn.cli.run import Run
from nn.core import fingerprint, format
from nn.core.constraints import AT_LEAST_ONE
from nn.core.errors import DataError, UsageError
from nn.core.options import Number
from nn.io.checkpoint import Checkpoint
from nn.spark.storage.checkpoints import FOLDER, Checkpoints, Refused
from nn.spark.storage.recorder import Pace, Recorder
from nn.spark.storage.run_directory import Output
from nn.training.assembly import settled_as
from nn.training.records import Progress
from nn.training.run import TrainingRun
from nn.training.run_options import DATA_PATHS

# Keys that may differ: data and models are compared by their fingerprints, epochs have rules of their own.
FREE = (*DATA_PATHS, "header", "skip_lines", "epochs", "start_from")
# Values of options that are newer than version 0.1.0, for a configuration without them.
EARLIER = {
    name: field.metadata["earlier"]
    for name, field in AFFECTING_RESULTS.items()
    if field.metadata["earlier"] is not None
}


class Start(NamedTuple):
    """Where a run begins."""

    options: Options  # with the values that an earlier run chose for its cluster and data
    earlier: Checkpoint | None  # None: start from the initial weights
    is_finished: bool  # True: no epoch is left to train
    notes: tuple[str, ...] = ()  # lines for the user
    ended: int = 0  # the epoch of the last checkpoint that was written, readable or not

    @property
    def epoch(self) -> int:
        """Return the number of epochs that the earlier run made."""
        return 0 if self.earlier is None else self.earlier.epoch

    def progress(self, options: Options, data: dict[str, Any], run: TrainingRun) -> Progress:
        """Return what training starts from: that of the earlier run, or else the initial weights.

        Raises DataError if the earlier run read other data, or its state does not fit the network and the optimizer.
        """
        if self.earlier is None:
            return run.start()
        before, now = self.earlier.data.get("partitions"), data["partitions"]
        if before != now:
            raise DataError(
                f"--resume: expected the training rows in {_shown(before)} partitions as in the run in OUTPUT, found "
                f"{now}: their storage cuts files in another way"
            )
        for name, path in (("train", options.train_images), ("test", options.test_images)):
            if self.earlier.data.get(name) != data[name]:
                raise DataError(
                    f"--resume: expected the {name} data that the run in OUTPUT read, in the same input splits, found "
                    f"others in {path} or its labels"
                )
        if self.earlier.data.get("start_from") != data.get("start_from"):
            raise DataError(
                "--resume: expected the MODEL that the run in OUTPUT started from, found another in "
                f"{options.start_from}"
            )
        try:
            return run.restore(self.earlier.progress)
        except ValueError as error:
            raise DataError(f"--resume: the checkpoint does not fit the network: {error}") from None

    def lines(self) -> str:
        """Return the lines on how the run starts; none for a new run."""
        lines = [format.note(note) for note in self.notes]
        epochs = self.options.recipe.epochs
        if self.is_finished:
            end = f"has ended after epoch {self.ended}" if self.earlier else f"has made its {epochs} epochs"
            lines.append(
                f"finished  the run in OUTPUT {end}; nothing to do, and its data were not read again"
            )
        elif self.earlier is not None:
            lines.append(f"resumed   after epoch {self.epoch} of {epochs}\n")
        elif self.options.resume:
            lines.append(f"started   at epoch 1 of {epochs}: OUTPUT has no checkpoint to resume from\n")
        return "\n".join(lines)


def start(options: Options, output: Output, checkpoints: Checkpoints) -> Start:
    """Return where the run begins: with --resume, after the newest checkpoint in OUTPUT that can be read.

    Raises UsageError, which names the option, if the run in OUTPUT cannot be continued with these options, and
    DataError if no checkpoint can be read.
    """
    if not options.resume:
        return Start(options, None, False)
    earlier = checkpoints.newest()
    if earlier is not None:
        notes = [_passed_over(refused, earlier.epoch) for refused in checkpoints.refused]
        withheld = [refused.epoch for refused in checkpoints.refused if not refused.is_damaged]
        options = continued(options, earlier.config, max(earlier.epoch, *withheld, 0))
        notes += _other_versions(earlier.versions)
        is_finished = output.is_finished and options.recipe.epochs <= earlier.config["epochs"]
        if is_finished:
            notes += _other_paths(options, earlier.config)
        ended = max(earlier.epoch, *(refused.epoch for refused in checkpoints.refused), 0)
        return Start(options, earlier, is_finished, tuple(notes), ended)
    if not output.is_finished:
        return Start(options, None, False)
    try:
        config = output.config()
    except ValueError as error:
        raise DataError(f"--resume: {error}") from None
    options = continued(options, config, 0)
    if options.recipe.epochs != config["epochs"]:
        raise UsageError(
            f"--resume: expected checkpoints to go on from in {output.folder.path}/{FOLDER}, found none"
        )
    return Start(options, None, True, tuple(_other_paths(options, config)))


def continued(options: Options, config: dict[str, Any], done: int) -> Options:
    """Return options with the values that an earlier run's `config` has for its cluster and data.

    Raises UsageError if the run cannot be continued with them after the `done` epochs that it made.
    """
    try:
        partitions, epochs = (
            Number(AT_LEAST_ONE).json(config.get(name)) for name in ("partitions", "epochs")
        )
        recipe = settled_as(options.recipe, config)
    except ValueError as error:
        raise UsageError(f"--resume: the configuration of the run in OUTPUT: {error}") from None
    options = dataclasses.replace(options.for_cluster(partitions), recipe=recipe)
    config = {**EARLIER, **config}
    resolved = options.resolved()
    for name in sorted((config.keys() | resolved.keys()) - set(FREE)):
        if config.get(name) != resolved.get(name):
            raise _differs(name, _shown(config.get(name)), _shown(resolved.get(name)))
    started_from = config.get("start_from")
    if (started_from is None) != (options.start_from is None):
        raise _differs("start_from", _shown(started_from), _shown(options.start_from))
    if options.recipe.epochs < done:
        raise _differs("epochs", f"at least {done}, which it has made", str(options.recipe.epochs))
    schedule = options.recipe.rate_schedule
    if options.recipe.epochs != epochs and schedule.needs_end:
        raise _differs(
            "epochs", f"{epochs}, on which its {schedule.name} schedule depends", str(options.recipe.epochs)
        )
    epochs_per_round = options.recipe.epochs_per_round
    if options.recipe.epochs != epochs and done % epochs_per_round:
        raise _differs(
            "epochs",
            f"{epochs}, where its last round of epochs_per_round={epochs_per_round} was shorter",
            str(options.recipe.epochs),
        )
    return options


def prepare_output(start: Start, options: Options, output: Output, checkpoints: Checkpoints) -> None:
    """Remove an earlier run's files from OUTPUT, except for those that this run continues; write the configuration."""
    output.clear()
    if start.earlier is None:
        checkpoints.clear()
    output.write_config(options.resolved())
    if start.earlier is not None:
        output.write_history(start.earlier.progress.history)


def recording(start: Start, run: Run, output: Output, checkpoints: Checkpoints) -> Recorder:
    """Return the recorder that writes histories and checkpoints during the run."""

    def checkpoint_of(progress: Progress) -> Checkpoint:
        return Checkpoint(progress, run.options.resolved(), run.fingerprints, versions())

    instead = " instead of --overwrite" if run.options.overwrite else ""
    return Recorder(
        output,
        checkpoints,
        Pace(run.options.checkpoint_every),
        checkpoint_of,
        is_sound=run.training.is_sound,
        again=f"the same command with --resume{instead}",
        saved=start.epoch,
    )


def versions() -> dict[str, str]:
    """Return the versions of all that the bits of a result depend on."""
    return {
        "nn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "arithmetic": fingerprint.fingerprint(),
    }


def _other_versions(before: dict[str, Any]) -> list[str]:
    now = versions()
    changes = [
        f"{name} {_shown(before.get(name))} then, {now[name]} now"
        for name in now
        if name in before and before[name] != now[name]
    ]
    return [f"--resume: {', '.join(changes)}: the last bits of the result may differ"] if changes else []


def _other_paths(options: Options, config: dict[str, Any]) -> list[str]:
    """Return a line for each path of the options that is not the one that the finished run read."""
    names = [name for name in (*DATA_PATHS, "start_from") if config.get(name) != getattr(options, name)]
    return [
        f"--resume: {name}: the run in OUTPUT read {_shown(config.get(name))}, not {_shown(getattr(options, name))}"
        for name in names
    ]


def _passed_over(refused: Refused, used: int) -> str:
    instead = f"epoch {used} is used instead" if refused.epoch > used else "it is passed over"
    return f"{refused.why}; {instead}"


def _differs(name: str, expected: str, found: str) -> UsageError:
    return UsageError(f"--resume: {_word(name)}: the run in OUTPUT has {expected}, found {found}")


def _word(name: str) -> str:
    """Return a key so that it can be printed in a line; names of options as they are."""
    return name if name.isidentifier() and name.isascii() else _shown(name)


def _shown(value: Any) -> str:
    return "none" if value is None else ascii(value)[:80]

"""Go on with an earlier run: what its checkpoint must agree with, and what it is then told to start from."""

from __future__ import annotations

import dataclasses
import json
import platform
from typing import Any, NamedTuple

import numpy as np

from nn import __version__
from nn.cli.options import Options
from nn.core import fingerprint, format
from nn.core.errors import DataError, UsageError
from nn.core.options import Integer
from nn.io.checkpoint import Checkpoint
from nn.spark.input.reader import Dataset
from nn.spark.storage.checkpoints import FOLDER, Checkpoints, Refused
from nn.spark.storage.recorder import Pace, Recorder
from nn.spark.storage.run_directory import Output
from nn.training.loop import Optimizer, Plan, check, divergence
from nn.training.records import Progress
from nn.training.run_options import DATA_PATHS

# Keys that may differ: the data are held against each other by their fingerprints, epochs have rules of their own.
FREE = (*DATA_PATHS, "header", "skip_lines", "epochs")


class Start(NamedTuple):
    """Where a run begins."""

    asked: Options  # with what an earlier run settled
    earlier: Checkpoint | None  # None: at the start values
    is_finished: bool  # whether there is nothing left to do
    notes: tuple[str, ...] = ()  # what the user should know, a line each
    ended: int = 0  # the epoch of the last checkpoint that was written, readable or not

    @property
    def epoch(self) -> int:
        """How many epochs were made before."""
        return 0 if self.earlier is None else self.earlier.epoch

    def progress(
        self, asked: Options, data: dict[str, Any], optimizer: Optimizer, plan: Plan, params: Any
    ) -> Progress:
        """What training starts from: the start values `params`, or where the earlier run was.

        Raises DataError where its data were others, or its state does not fit the network and the optimiser.
        """
        if self.earlier is None:
            return Progress(optimizer.init(params))
        before, now = self.earlier.data.get("partitions"), data["partitions"]
        if before != now:
            raise DataError(
                f"--resume: expected the training rows in {_shown(before)} partitions as in the run in OUTPUT, found "
                f"{now}: they lie on storage that is cut in another way"
            )
        for name, place in (("train", asked.train_images), ("test", asked.test_images)):
            if self.earlier.data.get(name) != data[name]:
                raise DataError(
                    f"--resume: expected the {name} data that the run in OUTPUT read, in the same pieces, found others "
                    f"in {place} or its labels"
                )
        progress = self.earlier.progress
        try:
            check(optimizer, plan, progress, params)
        except ValueError as error:
            raise DataError(f"--resume: the checkpoint does not fit the network: {error}") from None
        return progress

    def lines(self) -> str:
        """What the user is told of it; nothing of a run that begins."""
        lines = [format.note(note) for note in self.notes]
        epochs = self.asked.recipe.epochs
        if self.is_finished:
            made = f"has ended after epoch {self.ended}" if self.earlier else f"has made its {epochs} epochs"
            lines.append(
                f"finished  the run in OUTPUT {made}; nothing to do, and its data were not read again"
            )
        elif self.earlier is not None:
            lines.append(f"resumed   after epoch {self.epoch} of {epochs}\n")
        return "\n".join(lines)


def start(asked: Options, output: Output, checkpoints: Checkpoints) -> Start:
    """Where the run that was asked for begins.

    Raises UsageError, naming the key, where it cannot go on with what lies in OUTPUT, and DataError where no checkpoint
    can be read.
    """
    if not asked.resume:
        return Start(asked, None, False)
    earlier = checkpoints.newest()
    if earlier is not None:
        notes = [_passed_over(refused, earlier.epoch) for refused in checkpoints.refused]
        withheld = [refused.epoch for refused in checkpoints.refused if not refused.is_damaged]
        asked = continued(asked, earlier.config, max(earlier.epoch, *withheld, 0))
        notes += _other_versions(earlier.versions)
        enough = output.is_finished and asked.recipe.epochs <= earlier.config["epochs"]
        if enough:
            notes += _other_places(asked, earlier.config)
        ended = max(earlier.epoch, *(refused.epoch for refused in checkpoints.refused), 0)
        return Start(asked, earlier, enough, tuple(notes), ended)
    if not output.is_finished:
        return Start(asked, None, False)
    try:
        config = output.config()
    except ValueError as error:
        raise DataError(f"--resume: {error}") from None
    asked = continued(asked, config, 0)
    if asked.recipe.epochs != config["epochs"]:
        raise UsageError(
            f"--resume: expected checkpoints to go on from in {output.folder.path}/{FOLDER}, found none"
        )
    return Start(asked, None, True, tuple(_other_places(asked, config)))


def continued(asked: Options, config: dict[str, Any], done: int) -> Options:
    """The options with what a cluster or its data settled for an earlier run of that configuration.

    Raises UsageError where they cannot go on with it, after the `done` epochs that it made.
    """
    try:
        partitions, epochs = (Integer(1).json(config.get(name)) for name in ("partitions", "epochs"))
        recipe = asked.recipe.settled_as(config)
    except ValueError as error:
        raise UsageError(f"--resume: the configuration of the run in OUTPUT: {error}") from None
    asked = dataclasses.replace(asked.for_cluster(partitions), recipe=recipe)
    found = json.loads(json.dumps(asked.resolved()))
    for name in sorted((config.keys() | found.keys()) - set(FREE)):
        if config.get(name) != found.get(name):
            raise _differs(name, _shown(config.get(name)), _shown(found.get(name)))
    if asked.recipe.epochs < done:
        raise _differs("epochs", f"at least {done}, which it has made", str(asked.recipe.epochs))
    schedule = asked.recipe.rate_schedule
    if asked.recipe.epochs != epochs and schedule.needs_end:
        raise _differs(
            "epochs", f"{epochs}, by which its {schedule.name} schedule goes", str(asked.recipe.epochs)
        )
    return asked


def take_over(start: Start, asked: Options, output: Output, checkpoints: Checkpoints) -> None:
    """Make OUTPUT the run's: what an earlier one wrote goes, but for what this one goes on from."""
    output.clear()
    if start.earlier is None:
        checkpoints.clear()
    output.write_config(asked.resolved())
    if start.earlier is not None:
        output.write_history(start.earlier.progress.history)


def recording(
    start: Start,
    asked: Options,
    data: dict[str, Any],
    optimizer: Optimizer,
    output: Output,
    checkpoints: Checkpoints,
) -> Recorder:
    """What writes the run down as it goes on."""

    def point(progress: Progress) -> Checkpoint:
        return Checkpoint(progress, asked.resolved(), data, versions())

    instead = " in the place of --overwrite" if asked.overwrite else ""
    return Recorder(
        output,
        checkpoints,
        Pace(asked.checkpoint_every),
        point,
        is_sound=lambda progress: divergence(optimizer, progress) is None,
        again=f"the same command with --resume{instead}",
        saved=start.epoch,
    )


def data_of(train: Dataset, test: Dataset) -> dict[str, Any]:
    """What tells a run's data from others."""
    return {"train": train.fingerprint, "test": test.fingerprint, "partitions": train.partitions}


def versions() -> dict[str, str]:
    """Of all that the bits of a result depend on."""
    return {
        "nn": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
        "arithmetic": fingerprint.fingerprint(),
    }


def _other_versions(before: dict[str, Any]) -> list[str]:
    now = versions()
    others = [
        f"{name} {_shown(before.get(name))} then, {now[name]} now"
        for name in now
        if name in before and before[name] != now[name]
    ]
    return [f"--resume: {', '.join(others)}: the last bits of the result may differ"] if others else []


def _other_places(asked: Options, config: dict[str, Any]) -> list[str]:
    """What the user should know of data that a finished run did not read, or read elsewhere."""
    others = [name for name in DATA_PATHS if config.get(name) != getattr(asked, name)]
    return [
        f"--resume: {name}: the run in OUTPUT read {_shown(config.get(name))}, not {_shown(getattr(asked, name))}"
        for name in others
    ]


def _passed_over(refused: Refused, used: int) -> str:
    instead = f"epoch {used} is used instead" if refused.epoch > used else "it is passed over"
    return f"{refused.why}; {instead}"


def _differs(name: str, expected: str, found: str) -> UsageError:
    return UsageError(f"--resume: {_word(name)}: the run in OUTPUT has {expected}, found {found}")


def _word(name: str) -> str:
    """A key as it can be printed in a line; those of options as they are."""
    return name if name.isidentifier() and name.isascii() else _shown(name)


def _shown(value: Any) -> str:
    return "none" if value is None else ascii(value)[:80]

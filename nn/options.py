"""The command line of the main job: names, defaults, limits, and what excludes what."""

from __future__ import annotations

import argparse
import dataclasses
import math
import sys
from dataclasses import dataclass

from nn import __version__
from nn.errors import UsageError
from nn.layers import ACTIVATIONS
from nn.losses import LOSSES
from nn.model import MAX_LAYERS, Sequential, multilayer_perceptron
from nn.optimizers import RULES, Descent
from nn.schedules import SCHEDULES
from nn.spark.reading import Source
from nn.training import Plan


@dataclass(frozen=True)
class Options:
    """What the user asked for; every field is an argument or an option of the same name."""

    train_images: str
    train_labels: str
    test_images: str
    test_labels: str
    output: str
    label_column: int | None = None
    hidden: tuple[int, ...] = (64,)
    activation: str = "sigmoid"
    loss: str = "mse"
    epochs: int = 100
    sample: float | None = None
    batch_size: int | None = None
    optimizer: str = "sgd"
    momentum: float | None = None
    learning_rate: float = 0.1
    schedule: str = "bold-driver"
    seed: int = 0
    partitions: int | None = None
    overwrite: bool = False
    debug: bool = False

    def sources(self) -> tuple[Source, Source]:
        """Where the training set and the test set are."""
        return (
            _source("TRAIN", self.train_images, self.train_labels, self.label_column),
            _source("TEST", self.test_images, self.test_labels, self.label_column),
        )

    def model(self, width: int, classes: int, scale: float) -> Sequential:
        """The network for rows of `width` values; ValueError where the options fit no network."""
        return multilayer_perceptron(width, classes, self.hidden, self.activation, self.loss, scale)

    def descent(self) -> Descent:
        """The optimiser with its schedule."""
        own = {} if self.momentum is None else {"momentum": self.momentum}
        return Descent(RULES[self.optimizer](**own), SCHEDULES[self.schedule](self.learning_rate))

    def plan(self, rows: int) -> Plan:
        """How long to train, and what each step sees."""
        return Plan(rows, self.epochs, self.sample or 1.0, self.batch_size, self.seed)

    def as_json(self) -> dict:
        """All of it as plain JSON values."""
        return {**dataclasses.asdict(self), "hidden": list(self.hidden)}


DEFAULT_SAMPLE = 0.7
DEFAULT_MOMENTUM = 0.9

DESCRIPTION = """\
Train a neural network from scratch, with NumPy on Spark RDDs, and score it on a test set.

Images are text files of one row a line; commas, semicolons, tabs or blanks separate the numbers. Labels are
class numbers or one-hot rows, one a line. Each argument may be a file, a folder of part files or a glob, on any
file system that Spark reads. The defaults are the original tutorial's."""

EPILOG = """\
examples:
  spark-submit main_task.py data/mnist_images_train.csv data/mnist_labels_train.csv \\
      data/mnist_images_test.csv data/mnist_labels_test.csv output
  spark-submit main_task.py train.csv - test.csv - output --label-column 0 \\
      --hidden 128 --activation relu --loss cross-entropy --optimizer momentum \\
      --schedule constant --batch-size 1000 --epochs 10
  python generate_plots.py output

exit codes: 0 done, 2 usage, 3 bad data, 4 environment, 5 diverged"""


def parse(arguments: list[str]) -> Options:
    """Options from the words of a command line.

    Exits by itself for --help and --version; raises UsageError for anything that does not fit.
    """
    parser = _parser()
    values = vars(parser.parse_args(_dashes_kept(arguments)))
    _refuse_conflicts(values)
    if values["batch_size"] is None and values["sample"] is None:
        values["sample"] = DEFAULT_SAMPLE
    if values["optimizer"] == "momentum" and values["momentum"] is None:
        values["momentum"] = DEFAULT_MOMENTUM
    return Options(**values)


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print, so that every error leaves by one door."""

    def error(self, message):
        raise UsageError(f"{message}; --help lists the options")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="main_task.py",
        usage="spark-submit main_task.py TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS OUTPUT [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_data(parser.add_argument_group("data"))
    _add_network(parser.add_argument_group("network"))
    _add_training(parser.add_argument_group("training"))
    _add_run(parser.add_argument_group("run"))
    return parser


def _add_data(group) -> None:
    group.add_argument("train_images", metavar="TRAIN_IMAGES", help="rows to learn from")
    group.add_argument(
        "train_labels", metavar="TRAIN_LABELS", help="their labels, or - where --label-column says"
    )
    group.add_argument("test_images", metavar="TEST_IMAGES", help="rows to score on, never learned from")
    group.add_argument("test_labels", metavar="TEST_LABELS", help="their labels, or -")
    group.add_argument(
        "output",
        metavar="OUTPUT",
        help="folder for the results: histories, metrics, model.npz; new or empty",
    )
    group.add_argument(
        "--label-column",
        metavar="N",
        type=_whole(None, "a column number"),
        help="labels stand in column N of the images, counted from 0, or from the end if negative",
    )


def _add_network(group) -> None:
    group.add_argument(
        "--hidden",
        metavar="UNITS",
        type=_hidden,
        default=Options.hidden,
        help="units of the hidden layers, as 64 or 128,64 (default 64)",
    )
    group.add_argument(
        "--activation",
        choices=ACTIVATIONS,
        default=Options.activation,
        help="of the hidden layers (default %(default)s)",
    )
    group.add_argument(
        "--loss",
        choices=tuple(LOSSES),
        default=Options.loss,
        help="mse: sigmoid outputs, half the sum of squares; cross-entropy: softmax (default %(default)s)",
    )


def _add_training(group) -> None:
    group.add_argument("--epochs", metavar="N", type=_whole(1), default=Options.epochs, help="(default 100)")
    group.add_argument(
        "--sample",
        metavar="FRACTION",
        type=_number(0, 1, "a fraction above 0, at most 1", above=True),
        help="one step an epoch, on a fresh random part of the rows (default 0.7)",
    )
    group.add_argument(
        "--batch-size",
        metavar="N",
        type=_whole(1),
        help="instead of --sample: cut each epoch into random batches of N rows, one step and one job each",
    )
    group.add_argument(
        "--optimizer", choices=tuple(RULES), default=Options.optimizer, help="(default %(default)s)"
    )
    group.add_argument(
        "--momentum",
        metavar="M",
        type=_number(0, 1, "a number from 0 to below 1", below=True),
        help="share of the velocity kept at each step, with --optimizer momentum (default 0.9)",
    )
    group.add_argument(
        "--learning-rate",
        metavar="RATE",
        type=_number(0, math.inf, "a number above 0", above=True, below=True),
        default=Options.learning_rate,
        help="(default %(default)s)",
    )
    group.add_argument(
        "--schedule",
        choices=tuple(SCHEDULES),
        default=Options.schedule,
        help="bold-driver: grow the rate while the cost falls, undo a step that raises it (default %(default)s)",
    )


def _add_run(group) -> None:
    group.add_argument(
        "--seed",
        metavar="N",
        type=_whole(0),
        default=Options.seed,
        help="of start values and samples; same seed and partitions, same bits (default 0)",
    )
    group.add_argument(
        "--partitions",
        metavar="N",
        type=_whole(1),
        help="pieces that the rows are cut into (default: as many as tasks run at once)",
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an earlier run's results in OUTPUT, and nothing else",
    )
    group.add_argument("--debug", action="store_true", help="show Spark's log, and stack traces for errors")
    group.add_argument("--version", action="version", version=f"main_task.py {__version__}")


def _refuse_conflicts(values: dict) -> None:
    if values["sample"] is not None and values["batch_size"] is not None:
        raise UsageError("--sample and --batch-size exclude each other: the one is the other's replacement")
    if values["momentum"] is not None and values["optimizer"] != "momentum":
        raise UsageError("--momentum needs --optimizer momentum")
    layers = 2 * len(values["hidden"]) + 2
    if layers > MAX_LAYERS:
        raise UsageError(
            f"--hidden: expected at most {MAX_LAYERS // 2 - 1} layers, found {len(values['hidden'])}"
        )
    beside = [name for name in ("train_labels", "test_labels") if values[name] == "-"]
    if beside and values["label_column"] is None:
        raise UsageError(f"{beside[0].upper()} is - (labels stand in the images): expected --label-column N")
    if not beside and values["label_column"] is not None:
        raise UsageError("--label-column: expected - as TRAIN_LABELS or TEST_LABELS, found files for both")


def _source(name: str, images: str, labels: str, label_column: int | None) -> Source:
    return Source(name, images, None if labels == "-" else labels, label_column)


def _dashes_kept(arguments: list[str]) -> list[str]:
    """Join an option with a negative number after it, which argparse would take for another option."""
    joined: list[str] = []
    for word in arguments:
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and _is_negative(word):
            joined[-1] += "=" + word
        else:
            joined.append(word)
    return joined


def _is_negative(word: str) -> bool:
    return word.startswith("-") and word[1:2].isdigit()


def _whole(least: int | None, what: str = "a whole number"):
    def convert(text: str) -> int:
        expected = what if least is None else f"{what} of at least {least}"
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected {expected}, found {text!r}") from None
        if (least is not None and value < least) or abs(value) > sys.maxsize:
            raise argparse.ArgumentTypeError(f"expected {expected}, found {text}")
        return value

    return convert


def _number(low: float, high: float, what: str, above: bool = False, below: bool = False):
    def convert(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        inside = (value > low if above else value >= low) and (value < high if below else value <= high)
        if not inside:
            raise argparse.ArgumentTypeError(f"expected {what}, found {text!r}")
        return value

    return convert


def _hidden(text: str) -> tuple[int, ...]:
    unit = _whole(1)
    try:
        return tuple(unit(part.strip()) for part in text.split(","))
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"expected units as 64 or 128,64, found {text!r}") from None

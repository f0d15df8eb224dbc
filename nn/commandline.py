"""Words of the main job's command line -> Options; a configuration file fills in, and words win over it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from nn import __version__, printable, spelling
from nn.augmentation import AUGMENTATIONS
from nn.errors import UsageError
from nn.fields import Switch, json_object, options_of, unfit
from nn.initializers import INITIALIZERS
from nn.layers import LAYERS
from nn.lbfgs import LBFGS
from nn.losses import LOSSES
from nn.options import Options
from nn.recipe import OPTIMIZERS, PLACES, Recipe
from nn.schedules import SCHEDULES
from nn.spark.paths import refuse_malformed

DESCRIPTION = """\
Train a neural network from scratch, with NumPy on Spark RDDs, and score it on a test set.

Images are text files of one row a line; commas, semicolons, tabs, | or blanks separate the numbers. Labels are
class numbers or one-hot rows, one a line. Each argument may be a file, a folder of part files or a glob, on any
file system that Spark reads. Without options the network, the cost, the sample and the number of epochs are those of
the tutorial that this program grew from."""

EPILOG = """\
examples:
  spark-submit main_task.py data/mnist_images_train.csv data/mnist_labels_train.csv \\
      data/mnist_images_test.csv data/mnist_labels_test.csv output
  spark-submit main_task.py train.csv - test.csv - output --label-column 0 \\
      --layers "dense:128,relu,dropout:0.2" --loss cross-entropy --optimizer adam --batch-size 1000 --epochs 10
  spark-submit main_task.py --config recipes/cnn.json output
  python generate_plots.py output

A word for a layer, loss, optimizer, schedule or augmentation may carry fields: name:value:field=value, as in
conv2d:16x5:padding=same or adamw:weight_decay=0.1. --words lists all of them.

exit codes: 0 done, 2 usage, 3 bad data, 4 environment, 5 diverged, 129 terminal closed,
130 interrupted, 143 terminated"""


def parse(arguments: list[str]) -> Options:
    """Options from the words of a command line.

    Exits by itself for --help, --words and --version; raises UsageError for anything that does not fit.
    """
    given = vars(_parser().parse_intermixed_args(_dashes_kept(arguments)))
    configs = given.pop("config", [])
    if len(configs) > 1:
        raise UsageError(f"--config: expected one file, found {len(configs)}")
    flags = {name: _read(f"--{_said(name)}", name, word) for name, word in given.items()}
    if flags.keys() & set(PLACES) == {"train_images"}:
        flags["output"] = flags.pop("train_images")  # the data's places stand in the configuration file
    values = {**_for_flags(_from_file(configs[0]) if configs else {}, flags), **flags}
    missing = [name.upper() for name in PLACES if values.get(name) is None]
    if missing:
        raise UsageError(
            f"the following arguments are required: {', '.join(missing)}; --help lists the options"
        )
    _refuse_conflicts(values)
    own = {name: value for name, value in values.items() if name not in options_of(Recipe)}
    try:
        recipe = Recipe(**{name: value for name, value in values.items() if name in options_of(Recipe)})
    except ValueError as error:
        raise UsageError(str(error)) from None
    asked = Options(**own, recipe=recipe)
    for name in PLACES:
        refuse_malformed(getattr(asked, name), name.upper())
    asked.check_shapes()
    return asked


# ---- words ----


class _Parser(argparse.ArgumentParser):
    """Raises what argparse would print, so that every error leaves by one door."""

    def error(self, message):
        raise UsageError(f"{printable.line(message)}; --help lists the options")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="main_task.py",
        usage="spark-submit main_task.py [TRAIN_IMAGES TRAIN_LABELS TEST_IMAGES TEST_LABELS] OUTPUT [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    fields = {**options_of(Options), **options_of(Recipe)}
    for title, names in GROUPS.items():
        group = parser.add_argument_group(title)
        for name in names:
            _add(group, name, fields[name].metadata)
        if title == "run":
            group.add_argument("--config", metavar="FILE", action="append", help=CONFIG_HELP)
            group.add_argument("--words", action=_Words, nargs=0, help="list every word with its fields")
            group.add_argument("--version", action="version", version=f"main_task.py {__version__}")
    return parser


GROUPS = {
    "data": (*PLACES, "label_column", "weight_column", "header", "skip_lines"),
    "network": ("hidden", "activation", "layers", "input_shape", "initializer", "loss"),
    "training": (
        *(
            "epochs",
            "sample",
            "batch_size",
            "average",
            "rounds_per_epoch",
            "outer_learning_rate",
            "outer_momentum",
        ),
        *("optimizer", "learning_rate", "schedule", "warmup", "clip"),
        *("l1", "l2", "class_weights", "augment", "validation_fraction", "patience"),
    ),
    "run": (
        *(
            "seed",
            "partitions",
            "shuffle_once",
            "overwrite",
            "resume",
            "checkpoint_every",
            "keep_checkpoints",
        ),
        *("check", "dry_run", "debug"),
    ),
}
CONFIG_HELP = (
    "take options from a local JSON file, such as recipes/cnn.json or OUTPUT/config.json; options given here win, and "
    "none switches off what the file says"
)


def _add(group, name: str, about: Any) -> None:
    help = about["help"].replace("%", "%%")
    if name in PLACES:
        group.add_argument(name, metavar=name.upper(), nargs="?", help=help)
    elif isinstance(about["reader"], Switch):
        group.add_argument(f"--{_said(name)}", action="store_true", help=help)
    else:
        group.add_argument(f"--{_said(name)}", metavar=about["reader"].metavar, help=help)


class _Words(argparse.Action):
    """Prints what nn.spelling reads, and leaves."""

    def __call__(self, parser, *rest):
        for title, registry in WORDS.items():
            print(f"{title}:")
            for cls in registry.values():
                print(f"  {spelling.usage(cls)}\n      {(cls.__doc__ or '').strip().splitlines()[0]}")
            print()
        print("initializers, as in dense:64:initializer=NAME or --initializer NAME:")
        print(f"  {', '.join(INITIALIZERS)}")
        parser.exit()


WORDS: dict[str, Mapping[str, type]] = {
    "layers": LAYERS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "augmentations": AUGMENTATIONS,
}


def _read(said: str, name: str, value: Any, as_json: bool = False) -> Any:
    """The value of one option from its word, or from JSON."""
    field = {**options_of(Options), **options_of(Recipe)}[name]
    reader = field.metadata["reader"]
    if value is True and isinstance(reader, Switch):
        return True
    if (value is None if as_json else value == "none") and field.default in (None, ()):
        return field.default
    try:
        return reader.json(value) if as_json else reader.text(value)
    except ValueError as error:
        raise UsageError(f"{said}: {error}") from None


def _said(name: str) -> str:
    return name.replace("_", "-")


# ---- the configuration file ----


def _from_file(path: str) -> dict[str, Any]:
    """The options that a JSON file gives, each checked."""
    values: dict[str, Any] = {}
    try:
        found = json_object(path)
    except ValueError as error:
        raise UsageError(f"--config: {error}") from None
    for key, value in found.items():
        name = key.replace("-", "_")
        known = [*options_of(Options), *options_of(Recipe), "about", "get_data"]
        if name not in known:
            raise UsageError(f"--config: {path}: unknown key {key[:80]!a}; known: {', '.join(known)}")
        if name in values:
            raise UsageError(f"--config: {path}: {name} is said twice")
        if name in ("about", "get_data"):
            if not isinstance(value, str):
                raise UsageError(f"--config: {path}: {name}: {unfit('a text', value)}")
            values[name] = " ".join(value.split())
        else:
            values[name] = _read(f"--config: {path}: {name}", name, value, as_json=True)
    return values


OF_REPLICAS = ("rounds_per_epoch", "outer_learning_rate", "outer_momentum")
REPLACES = {  # an option given on the command line takes the place of these in the file
    "sample": ("batch_size", "average", *OF_REPLICAS),
    "batch_size": ("sample",),
    "layers": ("hidden", "activation"),
    "hidden": ("layers",),
    "activation": ("layers",),
    "optimizer": ("learning_rate", "schedule", "warmup"),  # each has its own
}
FIRST_ORDER = ("sample", "batch_size", "clip", "l1", "average", *OF_REPLICAS)  # that l-bfgs cannot do with


def _for_flags(values: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """The file's values without those that a flag replaces."""
    replaced = {name for flag, value in flags.items() if value is not None for name in REPLACES.get(flag, ())}
    if isinstance(flags.get("optimizer"), LBFGS):
        replaced.update(FIRST_ORDER)
    if flags.get("average") == "parameters":
        replaced.add("sample")
    if flags.get("average") == "gradients":
        replaced.update(OF_REPLICAS)
    if flags.get("validation_fraction") == 0:
        replaced.add("patience")
    if flags.keys() & set(PLACES[:4]):
        replaced.add("get_data")  # it makes the file's data, not these
    return {name: value for name, value in values.items() if name not in replaced}


def _refuse_conflicts(values: dict[str, Any]) -> None:
    beside = [name for name in ("train_labels", "test_labels") if values[name] == "-"]
    if beside and values.get("label_column") is None:
        raise UsageError(f"{beside[0].upper()} is - (labels stand in the images): expected --label-column N")
    if values.get("overwrite") and values.get("resume"):
        raise UsageError(
            "--overwrite and --resume exclude each other: the one starts anew, the other goes on"
        )
    if values.get("check") and values.get("dry_run"):
        raise UsageError("--check and --dry-run exclude each other: the one starts Spark, the other nothing")
    if not beside and values.get("label_column") is not None:
        raise UsageError("--label-column: expected - as TRAIN_LABELS or TEST_LABELS, found files for both")


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

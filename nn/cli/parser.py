"""Parse the main job's command line into Options; options of the command line replace those of --config."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from nn.cli import config_file
from nn.cli.arguments import Parser, Program, label_of, option_word, parser_of, require, words_by_name
from nn.cli.config_file import FIELDS, read_option
from nn.cli.local_paths import is_inside
from nn.cli.options import Options, recipe_errors
from nn.core import spec
from nn.core.constraints import constraints_of
from nn.core.errors import UsageError
from nn.core.options import options_of
from nn.data.augmentation import AUGMENTATIONS
from nn.layers import LAYERS
from nn.models.losses import LOSSES
from nn.optim.schedules import SCHEDULES
from nn.optim.weight_averages import WEIGHT_AVERAGES
from nn.spark.storage.paths import refuse_malformed
from nn.training.recipe import OPTIMIZERS, Recipe
from nn.training.run_options import PATHS

USAGE = """\
spark-submit main_task.py TRAIN_IMAGES TRAIN_LABELS
           TEST_IMAGES TEST_LABELS OUTPUT [options]
       spark-submit main_task.py --config RECIPE
           OUTPUT [options]
       spark-submit main_task.py TRAIN_IMAGES
           --describe [options]"""

DESCRIPTION = """\
Train a neural network from scratch, with NumPy on Spark RDDs, and score it on a test set.

TRAIN_IMAGES and TEST_IMAGES hold rows: text of numbers, CSV, Parquet or another table (--format). In text of numbers a
line is a row; commas, semicolons, tabs, | or blanks separate the numbers. Labels are class numbers or one-hot rows, one
per line, or a column of the table.
Each argument may be a file, a folder of part files or a glob, on any file system that Spark reads. Without options
the network, the cost, the sample and the number of epochs are those of the tutorial that this program grew from."""

EPILOG = """\
examples:
  spark-submit main_task.py \\
      data/mnist_images_train.csv \\
      data/mnist_labels_train.csv \\
      data/mnist_images_test.csv \\
      data/mnist_labels_test.csv output
  spark-submit main_task.py train.csv - test.csv - output \\
      --label-column 0 --layers "dense:128,relu" \\
      --loss cross-entropy --optimizer adam \\
      --batch-size 1000 --epochs 10
  spark-submit main_task.py customers.parquet - - - output \\
      --label-column bought --test-fraction 0.25 \\
      --config tabular
  spark-submit main_task.py --config cnn output
  python generate_plots.py output

A word for a layer, loss, optimizer, schedule or augmentation may carry fields: name:value:field=value, as in
conv2d:16x5:padding=same or adamw:weight_decay=0.1. --words lists all of them.

exit codes: 0 done, 2 usage, 3 bad data, 4 environment, 5 diverged, 129 terminal closed,
130 interrupted, 143 terminated"""


ENCODER_OPTIONS = ("scale", "categorical", "max_categories", "unknown")  # say how to encode columns


def parse(arguments: list[str]) -> Options:
    """Parse the words of a command line.

    Exits after --help, --words and --version. Raises UsageError for options that are unknown, out of range or exclude
    each other.
    """
    given = words_by_name(_parser(), arguments)
    configs = given.pop("config", [])
    if len(configs) > 1:
        raise UsageError(f"--config: expected one recipe, found {len(configs)}")
    content = config_file.from_file(configs[0]) if configs else {}
    if given.keys() & set(PATHS) == {"train_images"} and not (
        "describe" in given and "train_images" not in content
    ):
        given["output"] = given.pop("train_images")  # the data's paths stand in the configuration file
    flags = {name: read_option(label_of(name, PATHS), name, word) for name, word in given.items()}
    file = config_file.divide(content, flags)
    values = {**file.applied, **flags}
    if values.get("describe"):
        values = {**dict.fromkeys(PATHS[1:], "-"), **values}
    require(values, PATHS)
    _refuse_conflicts(values)
    own = {name: value for name, value in values.items() if name not in options_of(Recipe)}
    with recipe_errors():
        recipe = Recipe(**{name: value for name, value in values.items() if name in options_of(Recipe)})
    notes = config_file.notes(file.replaced, given, configs[0], recipe) if configs else ()
    options = Options(**own, recipe=recipe, notes=(*notes, *_notes_on_start(values, given)))
    for name in PATHS:
        refuse_malformed(getattr(options, name), name.upper())
    if options.start_from is not None:
        refuse_malformed(options.start_from, "--start-from")
    if not options.describe:
        options.check_shapes()
    return options


# ---- words ----


def _parser() -> Parser:
    program = Program("main_task.py", USAGE, DESCRIPTION, EPILOG)
    fields = {title: {name: FIELDS[name] for name in names} for title, names in groups().items()}
    parser, group = parser_of(program, fields)
    group.add_argument("--config", metavar="RECIPE", action="append", help=CONFIG_HELP)
    group.add_argument("--words", action=_Words, nargs=0, help="list every word with its fields")
    return parser


def groups() -> dict[str, list[str]]:
    """Return the names of the options by the group in which --help lists them, in its order."""
    names: dict[str, list[str]] = {title: [] for title in ("data", "columns", "network", "training", "run")}
    listed = [(name, field.metadata) for name, field in FIELDS.items() if field.metadata["group"]]
    for name, metadata in sorted(listed, key=lambda item: bool(item[1]["after"])):
        group = names[metadata["group"]]
        group.insert(group.index(metadata["after"]) + 1 if metadata["after"] else len(group), name)
    return names


CONFIG_HELP = (
    "take options from a recipe, by its name, such as cnn, or from a local JSON file, such as OUTPUT/config.json. An "
    "option on the command line replaces the file's value. The value none removes what the file sets, as in --augment "
    "none; --no-NAME turns a flag of the file off, as in --no-overwrite"
)


class _Words(argparse.Action):
    """Print all words for layers, losses and so on, with their fields and the values that these may have, and exit."""

    def __call__(self, parser, *rest):
        for title, registry in WORDS.items():
            print(f"{title}:")
            for cls in registry.values():
                print(f"  {spec.signature(cls)}\n      {(cls.__doc__ or '').strip().splitlines()[0]}")
                for name, constraint in constraints_of(cls).items():
                    print(f"      {name}: {constraint}")
            print()
        parser.exit()


WORDS: dict[str, Mapping[str, type]] = {
    "layers": LAYERS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "averages of weights": WEIGHT_AVERAGES,
    "augmentations": AUGMENTATIONS,
}


def _refuse_conflicts(values: dict[str, Any]) -> None:
    """Raise UsageError for options of the run that exclude or need each other."""
    modes = [f"--{option_word(name)}" for name in ("describe", "check", "dry_run") if values.get(name)]
    if len(modes) > 1:
        raise UsageError(
            f"{' and '.join(modes)} exclude each other: --describe reads TRAIN_IMAGES, --check looks at the cluster "
            "too, --dry-run does not start Spark"
        )
    if values.get("describe"):
        return  # the labels may be unknown yet, and the test set is not read
    _refuse_for_start(values)
    has_test = values["test_images"] != "-"
    if not has_test and values["test_labels"] != "-":
        raise UsageError("TEST_IMAGES is - (there is no test set): expected - as TEST_LABELS too")
    if not has_test and values.get("test_fraction") is None:
        raise UsageError(
            "TEST_IMAGES is - (there is no test set): expected --test-fraction FRACTION, such as 0.2, which takes test "
            "rows from the training rows, or 0, which trains without a test set"
        )
    if has_test and values.get("test_fraction") is not None:
        raise UsageError(
            "--test-fraction takes test rows from the training rows: expected - as TEST_IMAGES and TEST_LABELS, found "
            f"{values['test_images']}"
        )
    sets = ("train_labels", "test_labels") if has_test else ("train_labels",)
    in_images = [name for name in sets if values[name] == "-"]
    if in_images and values.get("label_column") is None and values.get("format") != "libsvm":
        raise UsageError(
            f"{in_images[0].upper()} is - (labels are a column of the images): expected --label-column COLUMN"
        )
    if values.get("validation_fraction") and values.get("validation_column") is not None:
        raise UsageError(
            f"--validation-column and --validation-fraction {values['validation_fraction']:g} exclude each other: both "
            "say which rows to hold out; --validation-fraction 0 leaves it to the column"
        )
    holds_out = values.get("validation_fraction") or values.get("validation_column") is not None
    if values.get("patience") is not None and not holds_out:
        raise UsageError(
            "patience needs validation-fraction or validation-column: the validation cost says when to stop"
        )
    if values.get("overwrite") and values.get("resume"):
        raise UsageError(
            "--overwrite and --resume exclude each other: the first starts a new run, the second continues one"
        )
    if not in_images and values.get("label_column") is not None:
        raise UsageError("--label-column: expected - as TRAIN_LABELS or TEST_LABELS, found files for both")


def _notes_on_start(values: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    """Yield a note for each option that --start-from makes void; `words` are the options as typed."""
    if values.get("start_from") is None:
        return
    if values.get("describe"):
        yield "--describe shows what training does without --start-from; with it, MODEL encodes the columns"
        return
    for name in ENCODER_OPTIONS:
        if name in words:
            yield f"--{option_word(name)} {words[name]} is not used with --start-from: MODEL encodes the columns"


def _refuse_for_start(values: dict[str, Any]) -> None:
    """Raise UsageError for options that need --start-from, and for a MODEL that the run would replace."""
    start = values.get("start_from")
    if start is None and values.get("keep_layers") is not None:
        raise UsageError("--keep-layers needs --start-from MODEL, whose first layers are kept")
    if start is not None and is_inside(start, values["output"]):
        raise UsageError(
            f"--start-from: expected a MODEL outside of OUTPUT, whose files the run replaces, found {start}; choose "
            "another OUTPUT"
        )

"""The options of predict_task.py and their command line."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from nn.cli.arguments import Program, label_of, option_word, parser_of, require, words_by_name
from nn.cli.config_file import read_field
from nn.core.constraints import AT_LEAST_ONE, check_fields
from nn.core.errors import UsageError
from nn.core.options import Choice, Flag, Number, Place, Reader, option, options_of
from nn.data import dialect
from nn.data.columns import ColumnList, Reference
from nn.spark.input.formats import AUTO
from nn.spark.input.input_files import INPUT, Source
from nn.spark.scoring import CSV, OUTPUT_FORMATS
from nn.spark.storage.paths import refuse_malformed
from nn.training.run_options import RunOptions

USAGE = "spark-submit predict_task.py MODEL INPUT OUTPUT [options]"
DESCRIPTION = """\
Predict the rows of INPUT with a trained network, and write a table of predictions into OUTPUT/predictions/, in the
order of the rows. INPUT is anything that main_task.py trains on: a file, a folder of part files, a glob or a table.
Columns are found by their names where the model and INPUT have names, else they are taken in their order. With labels,
OUTPUT has the scores of a training run too."""
EPILOG = """\
examples:
  spark-submit predict_task.py runs/first/model.npz \\
      data/mnist_images_test.csv predictions \\
      --labels data/mnist_labels_test.csv
  spark-submit predict_task.py runs/customers/model.npz \\
      data/customers.csv scored --id-column id \\
      --keep city --probabilities

exit codes: 0 done, 2 usage, 3 bad data, 4 environment, 129 terminal closed, 130 interrupted, 143 terminated"""
ERROR, NULL = BAD_ROWS = ("error", "null")


class LayerReference(Reader):
    """Read which layer of a network is meant: by its number, from 1, or by its name."""

    metavar = "LAYER"

    def text(self, word: str) -> Any:
        """Return a number for digits, else the text."""
        return self.checked(int(word) if word.isdecimal() else word, word)

    def __contains__(self, value: object) -> bool:
        return value in AT_LEAST_ONE or (isinstance(value, str) and bool(value))

    def __str__(self) -> str:
        return "the number of a layer, from 1, or its name"


def _as_in_training(name: str, **metadata: str) -> Any:
    """Return the option of main_task.py of this name, with another `help` where it differs."""
    field = options_of(RunOptions)[name]
    return dataclasses.field(default=field.default, metadata={**field.metadata, **metadata})


@dataclass(frozen=True)
class PredictOptions:
    """Where the model, the rows and the predictions lie, and what is predicted."""

    model: str = option(None, Place(), "model.npz of a training run", group="data")
    input: str = option(None, Place(), "rows to predict", group="data")
    output: str = option(None, Place(), "folder for the predictions; new or empty", group="data")
    labels: str | None = option(
        None,
        Place(positional=False),
        "file of the labels of all rows, one per line, to score with",
        group="data",
    )
    label_column: Reference | None = _as_in_training(
        "label_column",
        help="labels are in this column of INPUT, to score with: a name of the header, or a number from 0, or from the "
        "end if negative",
    )
    id_column: Reference | None = _as_in_training(
        "id_column", help="column that is written beside each prediction, in the place of the row's number"
    )
    features: tuple[Reference, ...] = _as_in_training(
        "features",
        help="columns of INPUT to take, in INPUT's order as in training, however the list names them; not used where "
        "the model and INPUT have names",
    )
    drop_columns: tuple[Reference, ...] = _as_in_training(
        "drop_columns",
        help="columns of INPUT that are no inputs; not used where the model and INPUT have names",
    )
    format: str | None = _as_in_training("format")
    read_option: tuple[str, ...] = _as_in_training("read_option")
    missing_values: tuple[str, ...] = _as_in_training("missing_values")
    header: str | None = _as_in_training("header")
    skip_lines: int | None = _as_in_training("skip_lines")
    keep: tuple[Reference, ...] = option(
        (), ColumnList(), "columns of INPUT to carry along, as name,city or *", group="predictions"
    )
    probabilities: bool = option(
        False, Flag(), "a column probability_NAME for each class", group="predictions"
    )
    top: int | None = option(
        None,
        Number(AT_LEAST_ONE, "K"),
        "the K most probable classes: columns top1, top1_probability, ...",
        group="predictions",
    )
    layer: int | str | None = option(
        None,
        LayerReference(),
        "instead of predictions, the outputs of a layer, by its number from 1 or its name: columns layerN_0, "
        "layerN_1, ...",
        group="predictions",
    )
    output_format: str = option(
        CSV, Choice(OUTPUT_FORMATS), "csv (default; with a header), parquet or json", group="predictions"
    )
    bad_rows: str = option(
        ERROR,
        Choice(BAD_ROWS, "error|null"),
        "rows that the model cannot predict: error (default) refuses INPUT and counts them, null leaves their "
        "predictions empty",
        group="predictions",
    )
    partitions: int | None = _as_in_training(
        "partitions",
        help="partitions of the rows, one part file each (default: as many as tasks run at once, or one per 128 MB of "
        "INPUT where that is more)",
    )
    overwrite: bool = option(
        False,
        Flag(),
        "replace what an earlier predict_task.py wrote in OUTPUT, and nothing else",
        group="run",
    )
    check: bool = option(
        False,
        Flag(),
        "check the cluster, look at the rows and their columns, print each problem that would stop the run, and exit",
        group="run",
    )
    dry_run: bool = option(
        False, Flag(), "print what would be read, predicted and written, and exit; start nothing", group="run"
    )
    debug: bool = _as_in_training("debug")

    def __post_init__(self) -> None:
        check_fields(self)
        if self.check and self.dry_run:
            raise UsageError(
                "--check and --dry-run exclude each other: --check looks at the cluster, --dry-run does not start Spark"
            )
        if self.labels is not None and self.label_column is not None:
            raise UsageError("--labels and --label-column exclude each other: labels are in one place")
        excluded = ("probabilities", "top", "labels", "label_column") if self.layer is not None else ()
        for name in excluded:
            if getattr(self, name) is not None and getattr(self, name) is not False:
                hint = "; --drop-columns leaves out a column of labels" if name == "label_column" else ""
                raise UsageError(
                    f"--layer and --{option_word(name)} exclude each other: --layer writes the outputs of a layer "
                    f"instead of predictions{hint}"
                )

    @property
    def first_line_rules(self) -> tuple[str, int]:
        """Return (one of dialect.HEADERS, lines to skip before it)."""
        return self.header or dialect.AUTO, self.skip_lines or 0

    def source(self, width: int) -> Source:
        """Return the source of the rows, of `width` values each where the format does not say it."""
        return Source(
            INPUT,
            self.input,
            self.labels,
            self.label_column,
            None,
            *self.first_line_rules,
            id_column=self.id_column,
            features=self.features,
            drop_columns=self.drop_columns,
            format=self.format or AUTO,
            read_options=self.read_option,
            missing_values=self.missing_values,
            vector_width=width,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the options as plain JSON values."""
        return {
            name: field.metadata["reader"].plain(getattr(self, name))
            for name, field in options_of(PredictOptions).items()
            if getattr(self, name) is not None and name not in NO_RESULTS
        }


PATHS = ("model", "input", "output")
NO_RESULTS = ("overwrite", "check", "dry_run", "debug")  # the options that change nothing in OUTPUT


def parse(arguments: list[str]) -> PredictOptions:
    """Parse the words of a command line. Raises UsageError for what is unknown, missing or out of range."""
    fields = options_of(PredictOptions)
    groups: dict[str, dict[str, Any]] = {title: {} for title in ("data", "predictions", "run")}
    for name, field in fields.items():
        groups[field.metadata["group"]][name] = field
    parser, _ = parser_of(Program("predict_task.py", USAGE, DESCRIPTION, EPILOG), groups)
    given = words_by_name(parser, arguments)
    require(given, PATHS)
    values = {name: read_field(label_of(name, PATHS), fields[name], word) for name, word in given.items()}
    options = PredictOptions(**values)
    for name in (*PATHS, "labels"):
        if (path := getattr(options, name)) is not None:
            refuse_malformed(path, label_of(name, PATHS))
    return options

"""Options of a run beside its recipe: where its data and its results lie, and how it is run.

They are declared here, below the command line, so that `Recipe.read` can tell their keys of a configuration file from
misspelled ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from nn.core.constraints import AT_LEAST_ONE, FROM_0_BELOW_1, Interval, check_fields
from nn.core.options import (
    Choice,
    Flag,
    KeyValues,
    Number,
    Place,
    Sentence,
    Words,
    option,
    options_of,
)
from nn.data import dialect
from nn.data.columns import ColumnList, ColumnReference, Reference

FORMATS = ("auto", "text", "csv", "parquet", "orc", "json", "avro", "libsvm", "table")

MOST_SKIPPED = 10_000  # lines
MOST_PIECES = 1_000_000  # Spark's driver keeps an account of each


@dataclass(frozen=True)
class RunOptions:
    """Where the data and the results of a run lie, and how it is run."""

    about: str | None = option(
        None, Sentence(), "sentence about the configuration file", affects_results=False
    )
    get_data: str | None = option(
        None, Sentence(), "command that makes the file's data", affects_results=False
    )
    train_images: str = option(None, Place(), "rows to learn from", group="data")
    train_labels: str = option(None, Place(), "their labels, or - where --label-column says", group="data")
    test_images: str = option(
        None, Place(), "rows to score on, never learned from, or - for --test-fraction", group="data"
    )
    test_labels: str = option(None, Place(), "their labels, or -", group="data")
    start_from: str | None = option(
        None,
        Place(positional=False, metavar="MODEL"),
        "model.npz of an earlier run, from whose weights training goes on; the network, the columns and the classes "
        "must be its own, and its encoder is kept; with --keep-layers the classes may be others",
        group="network",
    )
    output: str = option(
        None,
        Place(),
        "folder for the results: histories, metrics, model.npz; new or empty",
        group="data",
        affects_results=False,
    )
    label_column: Reference | None = option(
        None,
        ColumnReference(),
        "labels are in this column of the images: a number, counted from 0, or from the end if negative, or a name "
        "of the header; name=0 is the column called 0",
        group="data",
    )
    weight_column: Reference | None = option(
        None,
        ColumnReference(),
        "column of the images that says what each training row weighs; TEST_IMAGES may leave it out, and is not "
        "weighed",
        group="data",
    )
    id_column: Reference | None = option(
        None, ColumnReference(), "column that names the rows and is not learned from", group="data"
    )
    validation_column: Reference | None = option(
        None,
        ColumnReference(),
        "column that is true, or 1, for the training rows to hold out for validation",
        group="data",
    )
    features: tuple[Reference, ...] = option(
        (),
        ColumnList(),
        r"columns to learn from, as a,b,pixel* (default: all without another use); \, is a comma in a name",
        group="data",
    )
    drop_columns: tuple[Reference, ...] = option(
        (), ColumnList(), "columns to leave out, as id,date", group="data"
    )
    format: str | None = option(
        None,
        Choice(FORMATS, "NAME"),
        "auto (default), text (numbers alone), csv, parquet, orc, json (one object per line), avro, libsvm, or table: "
        "the arguments are tables of Spark's catalog",
        group="data",
    )
    read_option: tuple[str, ...] = option(
        (),
        KeyValues(),
        "option of Spark's reader, as multiLine=true; may be given several times",
        group="data",
    )
    missing_values: tuple[str, ...] = option(
        (),
        Words(),
        "words for missing values beside empty cells, NA, NaN, ? and null, as -,unknown",
        group="data",
    )
    test_fraction: float | None = option(
        None,
        Number(FROM_0_BELOW_1, "F"),
        "where TEST_IMAGES is -, split this share of each class off the training rows as the test set; 0: no test",
        group="data",
    )
    header: str | None = option(
        None,
        Choice(dialect.HEADERS, "auto|yes|no"),
        "whether the first line of each file is a header (default auto: it is where none of its fields is a number, or "
        "where they count 0,1,2,...)",
        group="data",
    )
    skip_lines: int | None = option(
        None,
        Number(Interval(int, 0, MOST_SKIPPED)),
        "lines to leave out at the start of each file, before its header (default 0)",
        group="data",
    )
    partitions: int | None = option(
        None,
        Number(Interval(int, 1, MOST_PIECES)),
        "partitions that the rows are cut into (default: as many as tasks run at once)",
        group="run",
    )
    shuffle_once: bool = option(
        False,
        Flag(),
        "move every training row once to a random place: for averaged parameters on rows sorted by class",
        group="run",
    )
    overwrite: bool = option(
        False,
        Flag(),
        "replace an earlier run's results in OUTPUT, and nothing else",
        group="run",
        affects_results=False,
    )
    resume: bool = option(
        False,
        Flag(),
        "go on with the run in OUTPUT from its last checkpoint, to the same model; without one it starts at epoch 1",
        group="run",
        affects_results=False,
    )
    checkpoint_every: int | None = option(
        None,
        Number(Interval(int, 0)),
        "write a checkpoint after every N epochs, 0: never (default: as often as takes less than 2 % of the time); "
        "the last epoch, or the one before an interruption, always gets one",
        group="run",
        affects_results=False,
    )
    keep_checkpoints: int = option(
        2,
        Number(AT_LEAST_ONE),
        "keep the last N checkpoints, and the best (default 2)",
        group="run",
        affects_results=False,
    )
    describe: bool = option(
        False,
        Flag(),
        "print the columns of TRAIN_IMAGES, what training does to each and what looks like a mistake, and exit; "
        "needs no other argument",
        group="run",
        affects_results=False,
    )
    check: bool = option(
        False,
        Flag(),
        "check the cluster, read the training rows once, print each problem that would stop the run, and exit",
        group="run",
        affects_results=False,
    )
    dry_run: bool = option(
        False,
        Flag(),
        "print the plan of the run and exit; start nothing",
        group="run",
        affects_results=False,
    )
    debug: bool = option(
        False, Flag(), "show Spark's log, and stack traces for errors", group="run", affects_results=False
    )

    def __post_init__(self) -> None:
        check_fields(self)


PATHS = tuple(
    name
    for name, field in options_of(RunOptions).items()
    if isinstance(field.metadata["reader"], Place) and field.metadata["reader"].positional
)
DATA_PATHS = tuple(name for name in PATHS if name != "output")

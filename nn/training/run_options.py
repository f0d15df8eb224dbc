"""Options of a run beside its recipe: where its data and its results lie, and how it is run.

They are declared here, below the command line, so that `Recipe.read` can tell their keys of a configuration file from
misspelled ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from nn.core.constraints import AT_LEAST_ONE, Interval, check_fields
from nn.core.options import Choice, Flag, Number, Place, Sentence, option, options_of
from nn.data import dialect

MOST_SKIPPED = 10_000  # lines
MOST_PIECES = 1_000_000  # Spark's driver keeps an account of each
COLUMN = Number(Interval(int), expected="a column number, as 0 for the first or -1 for the last")


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
    test_images: str = option(None, Place(), "rows to score on, never learned from", group="data")
    test_labels: str = option(None, Place(), "their labels, or -", group="data")
    output: str = option(
        None,
        Place(),
        "folder for the results: histories, metrics, model.npz; new or empty",
        group="data",
        affects_results=False,
    )
    label_column: int | None = option(
        None,
        COLUMN,
        "column N of the images has the labels",
        group="data",
    )
    weight_column: int | None = option(
        None,
        COLUMN,
        "column N of the images says what each training row weighs; TEST_IMAGES may leave it out, and is not weighed",
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
        "go on with the run in OUTPUT from its last checkpoint, to the same model; a run that never began begins",
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
    check: bool = option(
        False,
        Flag(),
        "check the cluster and the data with small jobs, print each problem that would stop the run, and exit",
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
    name for name, field in options_of(RunOptions).items() if isinstance(field.metadata["reader"], Place)
)
DATA_PATHS = tuple(name for name in PATHS if name != "output")

"""What the stages of nn.ml need of a Spark session: rows to train on, executors that can import nn, and files.

nn/ml/sessions.py chooses the implementation: nn/spark/frames/classic.py for a session with a SparkContext, another for
Spark Connect. Nothing else in nn/ml knows the difference.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from nn.data.schema import ColumnSchema
from nn.models.sequential import Params, Sequential
from nn.training.backend import Backend, Facts, Rows
from nn.training.evaluation import AnyScore


class FrameColumns(NamedTuple):
    """The columns of a DataFrame that a run learns from, by name. A name may hold any character."""

    # One column of vectors, arrays or bytes; or columns of numbers and categories.
    features: str | tuple[str, ...]
    label: str
    weight: str = ""  # "": every row weighs 1
    validation: str = ""  # boolean, true for validation rows; "": none


class FrameRequest(NamedTuple):
    """How a DataFrame is read."""

    columns: FrameColumns
    is_regression: bool = False
    classes: int | None = None  # labels are whole numbers in 0..classes-1; None: 0..the largest found
    width: int | None = None  # values of a row of features; None: those of the first row
    partitions: int | None = None  # None: those of the DataFrame
    offsets: bool = False  # whether a column of large numbers is kept less its first value
    missing: str = "error"  # one of nn.data.schema.MISSING, for missing values in the features
    categorical: tuple[str, ...] = ()  # columns of numbers that are categories
    max_categories: int = 100
    # The columns of inputs as a trained model has them: categories, and offsets that are taken off numbers. None: the
    # rows decide.
    schema: tuple[ColumnSchema, ...] | None = None


class FrameBackend(Backend, Rows, Protocol):
    """Runs jobs on the rows: TrainingRun.on splits them and takes their statistics, TrainingRun.epochs runs jobs."""

    weighted: bool  # whether rows have weights of their own

    def evaluate(self, model: Sequential, params: Params) -> AnyScore:
        """Score the rows that are learned from, each counting once."""


class TrainingFrame(Protocol):
    """The rows of a DataFrame, packed into blocks that stay cached until `release`."""

    @property
    def facts(self) -> Facts:
        """Return what a run depends on in these rows: width, labels or targets, classes, validation rows."""

    def backend(self) -> FrameBackend:
        """Return a backend for the rows as they were read. Several runs may each have one: each splits on its own."""

    def release(self) -> None:
        """Free the cached blocks, those of its backends too."""


class FrameSession(Protocol):
    """A Spark session, as the stages use it."""

    ships_to_streams: bool  # whether streams find the package that was sent

    def read(self, frame: Any, request: FrameRequest) -> TrainingFrame:
        """Pack the rows of a DataFrame into cached blocks, in one pass.

        Raises DataError, in one line with the column and a row, for null or NaN labels, labels that are no class
        number, values that are null, NaN or infinite, vectors of another size, weights that are none, and no rows.
        """

    def has_arrow(self) -> bool:
        """Return whether the driver and the executors have what Spark needs for Arrow."""

    def ship_package(self) -> None:
        """Make nn importable on the executors: once per session, however often it is called."""

    def read_file(self, path: str, limit: int) -> bytes | None:
        """Return the content of a file on any file system; None where there is none. ValueError beyond the limit."""

    def write_file(self, path: str, content: bytes) -> None:
        """Write a file on any file system, whole or not at all; the folders above it are created."""

    def remove_file(self, path: str) -> None:
        """Remove a file; where a server cannot, leave it empty."""

    def remove(self, path: str) -> None:
        """Remove a folder with all that is in it, if it exists."""

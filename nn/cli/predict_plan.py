"""Say what a run of predict_task.py reads, predicts and writes: lines of --dry-run and --check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nn.cli.arguments import label_of
from nn.cli.local_paths import is_inside
from nn.cli.predict_options import NULL, PATHS, PredictOptions
from nn.core.errors import UsageError
from nn.data import model_columns
from nn.data.encoding import Category, TableEncoder
from nn.data.model_columns import SHOWN, Found, Offered
from nn.models.classifier import Classifier, Predictor
from nn.models.prediction_columns import LayerTable, OutputTable, PredictionTable
from nn.spark import scoring
from nn.spark.input.formats import TABLE
from nn.spark.input.input_files import INPUT
from nn.spark.input.scored_files import Wanted
from nn.spark.storage.filesystem import Storage

PIECE = 128 << 20  # bytes of INPUT in a partition, as Spark's own readers take
INDENT = " " * 10  # the width of the words at the start of lines


def refuse_inside_output(options: PredictOptions) -> None:
    """Raise UsageError for a MODEL, INPUT or LABELS in OUTPUT, whose files are replaced."""
    for name in ("model", "input", "labels"):
        path = getattr(options, name)
        if path is not None and is_inside(path, options.output):
            raise UsageError(
                f"{label_of(name, PATHS)}: expected a path outside of OUTPUT, which is replaced, found {path} in "
                f"{options.output}; choose another OUTPUT"
            )


def table_of(model: Predictor, options: PredictOptions) -> OutputTable:
    """Return the columns that the options ask for. Raises UsageError for those that the model does not give."""
    try:
        if options.layer is not None:
            return LayerTable(model.model, model.model.layer_number(options.layer))
        return PredictionTable(model.model, options.probabilities, options.top or 0)
    except ValueError as error:
        option = "--probabilities or --top" if options.layer is None else "--layer"
        raise UsageError(f"{option}: {error}") from None


def wanted_of(model: Predictor, options: PredictOptions) -> Wanted:
    """Return which rows are predicted."""
    source = options.source(model.model.columns)
    return Wanted(source, model.model, options.keep, options.bad_rows == NULL)


def partitions_of(context: Any, storage: Storage, options: PredictOptions) -> int:
    """Return the number of partitions: as many as tasks run at once, of large files one per PIECE bytes."""
    if options.partitions:
        return options.partitions
    files = [] if options.format == TABLE else storage.list_tree(options.input, INPUT)[0]
    return max(context.defaultParallelism, -(-sum(file.size for file in files) // PIECE))


def columns_of(model: Predictor, options: PredictOptions, offered: Offered) -> Found:
    """Find the columns of the model in those of INPUT. Raises DataError where they do not fit."""
    network, roles = model.model, options.source(model.model.columns).roles
    return model_columns.find(network.encoder.names, network.columns, offered, roles, options.keep)


def model_lines(model: Predictor, options: PredictOptions) -> list[str]:
    """Return the model's summary, and the columns that it takes."""
    first, *rest = model.model.summary().splitlines()
    gives = "values"
    if isinstance(model, Classifier):
        gives = f"the classes {_listed(model.class_names)}"
    columns = [f"{name} ({kind})" for name, kind in _columns(model)]
    takes = _listed(columns) if columns else f"{model.model.columns:,} numbers, in their order"
    return [
        f"model     {options.model} predicts {gives}",
        *(f"{INDENT}{line}" for line in (first, *rest)),
        f"takes     {takes}",
    ]


def _columns(model: Predictor) -> list[tuple[str, str]]:
    """Return the name and the kind of each column of the model; none where they have no names."""
    encoder = model.model.encoder
    if not model_columns.have_names(encoder.names):
        return []
    if not isinstance(encoder, TableEncoder):
        return [(name, "number") for name in encoder.names]
    return [
        (column.name, f"category of {len(column.values):,}" if isinstance(column, Category) else "number")
        for column in encoder.columns
    ]


def written_line(options: PredictOptions, table: OutputTable, carried: Sequence[str]) -> str:
    """Return the line on what is written. Raises DataError for a column carried along whose name is taken."""
    names = scoring.names_of(carried, table)
    return (
        f"writes    {options.output}/predictions: {options.output_format} with the columns {_listed(names)}"
    )


def carried_names(found: Found, offered: Offered) -> list[str]:
    """Return the names of the columns that are carried along."""
    return [offered.names[index] if offered.names else str(index) for index in found.kept]


def _listed(names: Sequence[str]) -> str:
    """Return names in a row; of many, the first and the last."""
    if len(names) <= SHOWN:
        return ", ".join(names)
    return f"{', '.join(names[: SHOWN - 1])}, ..., {names[-1]} ({len(names):,})"

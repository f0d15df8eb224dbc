"""predict_task.py --check: look at the executors, at INPUT's columns and at OUTPUT, and print each problem."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

from nn.cli import check, checked_data, predict_plan
from nn.cli.check import print_lines
from nn.cli.predict_options import PredictOptions
from nn.core import format
from nn.data import csv
from nn.data.labels import CLASSIFICATION, REGRESSION
from nn.models import model_file
from nn.models.classifier import Predictor, read_model
from nn.models.trial_prediction import TrialPrediction
from nn.spark import preflight, scoring
from nn.spark.input.input_files import read_as_needed
from nn.spark.input.scored_files import ScoredFiles, Wanted, open_scored
from nn.spark.input.table_source import Table
from nn.spark.preflight import ExecutorReport, FirstAndLast
from nn.spark.runtime import cluster
from nn.spark.storage import lock
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.prediction_folder import PredictionFolder
from nn.spark.storage.run_directory import Output


def run(context: Any, storage: Storage, options: PredictOptions) -> None:
    """Print the model, the executors, the state of INPUT and OUTPUT, and what a run would write.

    Raises PlatformError or DataError with the first problem; the others are printed before.
    """
    output = PredictionFolder(storage.folder(options.output))
    predict_plan.refuse_inside_output(options)
    lock.refuse_running(output.folder)
    output.check(options.overwrite)
    model = read_model(storage.read, options.model, "MODEL: ")
    table = predict_plan.table_of(model, options)
    wanted = predict_plan.wanted_of(model, options)
    partitions = predict_plan.partitions_of(context, storage, options)
    scored, ends, notes = _opened(context, storage, wanted, partitions)
    schema = scoring.schema_of(scored, table, options.output_format)
    images, limit = scored.files.images, cluster.worker_memory_limit(context)
    memory = preflight.memory_for_rows(context, [scored.files])
    paths = check.local_paths([wanted.source], storage)
    reports = preflight.report_executors(context, paths, _trial(model), memory.needed)
    lines = [*predict_plan.model_lines(model, options), *check.table(reports, limit, "block")]
    tables = [file for file in (images, scored.files.labels) if isinstance(file, Table)]
    lines += map(format.note, [*notes, *images.notes, *_places(reports, output)])
    lines += [*map(check.ends_line, ends), *map(check.table_line, tables), check.memory_line(memory)]
    print_lines(lines)
    Output(output.folder).probe()
    carried = schema.names[: len(scored.kept)]
    print_lines([predict_plan.written_line(options, table, carried)])
    check.raise_first(check.faults(reports, limit), checked_data.data_faults(ends))
    print_lines(["checked   no problem was found; nothing was left behind"])


def _opened(
    context: Any, storage: Storage, wanted: Wanted, partitions: int
) -> tuple[ScoredFiles, list[FirstAndLast], list[str]]:
    """Return the files of INPUT, opened, the ends of text, and notes. Raises DataError where columns do not fit."""
    task = REGRESSION if wanted.model.loss.is_regression else CLASSIFICATION

    def opened(as_csv: frozenset[str]) -> tuple[ScoredFiles, list[FirstAndLast]]:
        scored = open_scored(context, storage, wanted, partitions, as_csv)
        ends = preflight.first_and_last(scored.files, task)
        for text in ends:
            checked_data.refuse_cells(text, as_csv)
        return scored, ends

    (scored, ends), notes = read_as_needed(wanted.source.format, opened, wanted.as_csv)
    return scored, ends, notes


def _trial(model: Predictor) -> TrialPrediction:
    """Return the prediction of a block, which each executor tries."""
    content = model_file.to_bytes(model.model, model.params, model.about)
    return TrialPrediction(content, csv.chunk_rows(model.model.columns))


def _places(reports: Sequence[ExecutorReport], output: PredictionFolder) -> list[str]:
    """Return a note where executors on other machines write to OUTPUT on the driver's disk."""
    others = sorted({report.worker.host for report in reports} - {socket.gethostname()})
    if not output.folder.is_local or not others:
        return []
    return [
        f"OUTPUT: {output.folder.path} is a local path, and {', '.join(others[:3])} write predictions to theirs: it "
        "has to be a folder that all machines share"
    ]

"""Predict rows: read the model and the rows, write the predictions, score them where there are labels."""

from __future__ import annotations

import platform
import shlex
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from nn import __version__
from nn.cli import console, job_progress, report
from nn.cli.failure import recorded
from nn.cli.predict_options import NULL, PredictOptions
from nn.cli.predict_plan import partitions_of, refuse_inside_output, table_of, wanted_of
from nn.core import format
from nn.core.errors import DataError
from nn.io import results
from nn.models.classifier import Predictor, read_model
from nn.models.prediction_columns import OutputTable
from nn.spark import scoring
from nn.spark.input import cache
from nn.spark.input.scored_rows import ScoredRows, read_scored
from nn.spark.input.table_source import Table
from nn.spark.runtime.broadcast import broadcast
from nn.spark.runtime.running_jobs import running
from nn.spark.runtime.session import shows_on_terminal
from nn.spark.storage import lock
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.prediction_folder import PredictionFolder
from nn.training import evaluation
from nn.training.evaluation import AnyScore

RATED = 100_000  # rows from which their rate is shown; fewer take less time than Spark's first query


class Scored(NamedTuple):
    """What a run of predictions gives beside the predictions themselves."""

    rows: int
    empty: int  # rows whose predictions are empty
    score: AnyScore | None


def run(context: Any, storage: Storage, options: PredictOptions) -> None:
    """Read, predict and write. Raises DataError or UsageError before anything is written where the rows do not fit."""
    clock = report.Clock()
    progress = partial(job_progress.shown, running=partial(running, context), live=shows_on_terminal(context))
    refuse_inside_output(options)
    output = PredictionFolder(storage.folder(options.output))
    checked = partial(output.check, options.overwrite)
    with (
        lock.locked(output.folder, checked, False, console.print_line),
        recorded(context, output.folder),
    ):
        model = read_model(storage.read, options.model, "MODEL: ")
        table = table_of(model, options)
        with progress("reading"):
            partitions = partitions_of(context, storage, options)
            found = read_scored(context, storage, wanted_of(model, options), partitions)
        console.print_line(_data_lines(found, options, clock.lap("reading")))
        params = broadcast(context, model.params)
        with progress("predicting"):
            empty = _predict(context, found, table, params, options, output)
        clock.lap("predicting")
        with progress("scoring"):
            scored = _score(context, found, model, params, empty)
        clock.lap("scoring")
        score_files = {}
        if scored.score is not None:
            score_files = results.score_files(scored.score, model.model.decoder, model.model.encoder)
        output.finish(score_files, _summary(context, options, model, scored, clock))
    console.print_line(_last_lines(options, model, scored, clock, output))


def _predict(
    context: Any,
    found: ScoredRows,
    table: OutputTable,
    params: Any,
    options: PredictOptions,
    output: PredictionFolder,
) -> int:
    """Write the predictions; return how many rows have none.

    Raises DataError where outputs are not finite and bad rows are an error: other faults of rows are known before.
    """
    context.setJobDescription("predicting INPUT")
    frame, empty = scoring.frame_of(found, table, params, options.output_format)
    output.begin(options.as_json())
    scoring.write(frame, output.predictions, options.output_format)
    output.check_parts(found.parts)
    count = sum(empty.value.values())
    if count and options.bad_rows != NULL:
        output.invalidate()
        raise DataError(
            f"INPUT: {options.input}: the model's outputs are not finite for {format.counted(count, 'row')}, whose "
            "values are too large for it; --bad-rows null leaves their predictions empty"
        )
    return count


def _score(context: Any, found: ScoredRows, model: Predictor, params: Any, empty: int) -> Scored:
    """Return the scores, where there are labels; `empty`: how many rows could not be predicted."""
    total = found.rows.total
    if found.labels is None or empty == total:
        return Scored(total, empty, None)
    context.setJobDescription("scoring INPUT")
    blocks = found.blocks(model.model)
    return Scored(total, empty, evaluation.evaluate(blocks, model.model, params, total))


def _data_lines(found: ScoredRows, options: PredictOptions, seconds: float) -> str:
    images = found.scored.files.images
    source = images.how.format if isinstance(images, Table) else "text of numbers"
    notes = [
        *found.notes,
        *cache.note(images.argument, found.rows.bytes, found.rows.cached.getStorageLevel()),
    ]
    labeled = "with" if found.scored.has_labels else "without"
    return (
        f"data      {options.input} ({source}): {format.counted(found.rows.total, 'row')} {labeled} labels; read in "
        f"{seconds:.1f} s into {format.counted(found.rows.cached.getNumPartitions(), 'partition')}"
        + "".join(f"\n{format.note(note)}" for note in notes)
    )


def _summary(
    context: Any, options: PredictOptions, model: Predictor, scored: Scored, clock: report.Clock
) -> dict[str, Any]:
    """Return the content of summary.json; its keys are those of a training run."""
    about = model.about.get("data") if isinstance(model.about.get("data"), dict) else None
    name = options.input.rstrip("/").rpartition("/")[2] or options.input
    return {
        "configuration": options.as_json(),
        "versions": {
            "nn": __version__,
            "spark": context.version,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
        "data": {
            "name": name,
            "class_names": (about or {}).get("class_names"),
            "rows": scored.rows,
            "not_predicted": scored.empty,
        },
        "model": model.model.config(),
        "test": scored.score and results.score_summary(scored.score, model.model.decoder),
        "seconds": {**clock.seconds, "total": clock.total},
    }


def _last_lines(
    options: PredictOptions, model: Predictor, scored: Scored, clock: report.Clock, output: PredictionFolder
) -> str:
    lines = []
    if scored.empty:
        count = format.counted(scored.empty, "row")
        lines.append(
            format.note(f"{count} could not be predicted: such rows have no prediction (--bad-rows null)")
        )
    draw = ""
    if scored.score is not None:
        lines.append(f"test      {report.test_line(scored.score, model.model)}")
        place = shlex.quote(options.output) if output.folder.is_local else "A_LOCAL_COPY_OF_IT"
        draw = f"; draw the scores with: python generate_plots.py {place}"
    rate = ""
    if scored.rows >= RATED:
        rate = f" ({scored.rows / max(clock.seconds['predicting'], 1e-9):,.0f} rows/s once they were read)"
    lines.append(f"written   {options.output} in {clock.total:.1f} s{rate}{draw}")
    return "\n".join(lines)

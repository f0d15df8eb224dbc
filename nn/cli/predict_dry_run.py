"""predict_task.py --dry-run: print what would be read, predicted and written; start nothing and write nothing."""

from __future__ import annotations

import os

from nn.cli import predict_plan
from nn.cli.local_facts import read_columns
from nn.cli.local_paths import exists, is_local, local_files, local_path
from nn.cli.predict_options import PredictOptions
from nn.core import format
from nn.core.errors import MissingFileError
from nn.models.classifier import Predictor, read_model
from nn.models.prediction_columns import OutputTable
from nn.spark.storage import lock
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.local import read_local
from nn.spark.storage.prediction_folder import PredictionFolder


def lines(options: PredictOptions) -> str:
    """Return the plan of a run as lines. Raises what the run would raise for the files on this machine."""
    _refuse(options)
    if not is_local(options.model):
        return (
            f"dry run   nothing was started\n{format.note('MODEL: not read, it is not on this machine')}\n"
            "writes    known only after Spark reads MODEL; the options and OUTPUT were checked, --check reads MODEL too"
        )
    model = read_model(read_local, local_path(options.model) or "", "MODEL: ")
    table = predict_plan.table_of(model, options)
    about = [*predict_plan.model_lines(model, options), *_input_lines(options, model, table)]
    return "\n".join(["dry run   nothing was started", *about])


def _refuse(options: PredictOptions) -> None:
    """Raise the run's errors on OUTPUT and on files that are missing, if their paths are on this machine."""
    predict_plan.refuse_inside_output(options)
    if is_local(options.output):
        output = PredictionFolder(LocalFolder(os.path.abspath(local_path(options.output) or "")))
        lock.refuse_running(output.folder)
        output.check(options.overwrite)
    for name in ("model", "input", "labels"):
        path = getattr(options, name)
        is_table = name != "model" and options.format == "table"
        if path is not None and not is_table and is_local(path) and not exists(local_path(path) or ""):
            raise MissingFileError(f"{name.upper()}: no such file or folder: {path}")


def _input_lines(options: PredictOptions, model: Predictor, table: OutputTable) -> list[str]:
    """Return the lines on INPUT, as far as its first lines tell, and on what is written."""
    offered = read_columns(options, is_numeric=not predict_plan.wanted_of(model, options).as_csv)
    if offered is None:
        carried = [str(name) for name in (options.id_column, *options.keep) if name is not None]
        return [
            format.note("INPUT: not read, it is no plain text on this machine; --check looks at its columns"),
            predict_plan.written_line(options, table, carried),
        ]
    found = predict_plan.columns_of(model, options, offered)
    files = local_files(options.input)
    size = format.size(sum(os.path.getsize(file) for file in files))
    columns = format.counted(len(offered.widths), "column")
    taken = f"{len(found.columns.inputs):,} of them for the model"
    return [
        f"data      {options.input}: {format.counted(len(files), 'file')} of {size} and {columns}, {taken}",
        *map(format.note, found.notes),
        predict_plan.written_line(options, table, predict_plan.carried_names(found, offered)),
    ]

"""--start-from, --keep-layers and --freeze: read the model to start from, and say what is kept and frozen."""

from __future__ import annotations

import math
from typing import Any

from nn.cli.options import Options, recipe_errors
from nn.core import format, tree
from nn.models.classifier import content_of, read_model
from nn.models.model_file import SavedModel
from nn.spark.storage.filesystem import Storage
from nn.training import pretrained
from nn.training.run import TrainingRun


def read(storage: Storage, options: Options) -> SavedModel | None:
    """Read the model to start from, if there is one. Raises DataError for what is none, UsageError for another task."""
    if options.start_from is None:
        return None
    return checked(content_of(read_model(storage.read, options.start_from, "MODEL: ")), options)


def checked(model: SavedModel, options: Options) -> SavedModel:
    """Return the model. Raises UsageError where the recipe does not fit it, whatever the rows are."""
    with recipe_errors():
        pretrained.check_recipe(options.recipe, model.model)
    return model


def lines(run: TrainingRun) -> str:
    """Return the lines on the weights that are kept and frozen, and notes on them; empty where none are."""
    keep, frozen, layers = run.recipe.keep_layers, run.recipe.frozen, len(run.model.layers)
    parts = []
    if run.start_from is not None and keep is None:
        output = "scale of the target" if run.model.loss.is_regression else "classes"
        parts.append(
            f"start     from MODEL: all weights, the encoder of the columns and the {output} are its own"
        )
    elif keep is not None:
        parts.append(
            f"start     from MODEL: the encoder of the columns and the weights of {_layers(1, keep)} are its own, "
            f"those of {_layers(keep + 1, layers)} are drawn"
        )
    if frozen:
        counts = [sum(map(math.prod, shapes.values())) for shapes, _ in run.model.shapes()]
        learned = sum(counts[frozen:])
        parts.append(f"frozen    {_layers(1, frozen)}: {learned:,} of {sum(counts):,} parameters are learned")
    return "".join(f"{line}\n" for line in [*parts, *map(format.note, _notes(run))])


def _layers(first: int, last: int) -> str:
    return f"layer {first}" if first == last else f"layers {first} to {last}"


def _notes(run: TrainingRun) -> list[str]:
    """Return notes on layers that are frozen and probably should not be."""
    keep, frozen = run.recipe.keep_layers, run.recipe.frozen
    if not frozen:
        return []
    if not tree.count(run.objective.frozen):
        return [f"--freeze {frozen}: the network has no weights up to layer {frozen}, so nothing is frozen"]
    if run.start_from is None:
        return [f"--freeze {frozen} without --start-from: the frozen weights are random and stay so"]
    if keep is not None and frozen > keep:
        return [
            f"--freeze {frozen} and --keep-layers {keep}: the weights of {_layers(keep + 1, frozen)} are random and "
            "stay so"
        ]
    return []


def summary(options: Options, run: TrainingRun) -> dict[str, Any]:
    """Return what summary.json holds of the start, where training starts from a model or layers are frozen."""
    if run.start_from is None and not run.recipe.frozen:
        return {}
    start = run.start_from
    return {
        "start": {
            "model": options.start_from,
            "fingerprint": start and start.fingerprint,
            "kept_layers": 0 if start is None else run.recipe.keep_layers or len(run.model.layers),
            "frozen_layers": run.recipe.frozen,
        }
    }

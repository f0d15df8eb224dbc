"""Start from a trained model: its encoder, its classes or its target, the weights of all its layers or the first ones.

Without `keep_layers` the network is the model's own: the same layers, columns and classes, or target. With it, the
first layers and the columns are the model's; the other layers and the output layer are new. In both cases inputs are
encoded as the model encodes them, so that its weights mean the same. (Yosinski et al., 2014, on features that are
kept and frozen.)
"""

from __future__ import annotations

from itertools import zip_longest

import numpy as np

from nn.core import spec
from nn.core.errors import DataError
from nn.data import model_columns
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.schema import ColumnSchema
from nn.data.tables import schema_for
from nn.layers import Layer
from nn.models.model_file import SavedModel
from nn.models.sequential import Params, Sequential
from nn.training.backend import Facts
from nn.training.recipe import Recipe

KEEP = "keep_layers keeps its first layers alone"
SHOWN = 10  # classes in a message


def facts_for(recipe: Recipe, facts: Facts, start_from: SavedModel | None) -> Facts:
    """Return the facts of rows with the encoder of the model, and with its classes or its target where they are kept.

    The rows must have been packed for the columns and the classes of the model. Raises ValueError where they were not,
    where the recipe needs a model and there is none, and where the task is another.
    """
    if start_from is None:
        if recipe.keep_layers is not None:
            raise ValueError("keep_layers needs start_from, a trained model whose layers are kept")
        return facts
    model = start_from.model
    check_recipe(recipe, model)
    _refuse_other_columns(facts, model)
    facts = facts._replace(encoder=model.encoder)
    if recipe.keep_layers is not None:
        return facts
    if isinstance(model.decoder, TargetScale):
        return facts._replace(target=model.decoder)
    if facts.labeled != model.decoder or facts.classes > model.classes:
        raise other_classes(model.decoder, model.classes, facts.labeled.names(facts.classes))
    return facts._replace(classes=model.classes)


def check_recipe(recipe: Recipe, model: Sequential) -> None:
    """Raise ValueError for options that do not fit the model, whatever the rows are."""
    if recipe.keep_layers is not None:
        return
    if recipe.initializer is not None:
        raise ValueError(
            f"initializer and start_from exclude each other: all weights are the trained model's; {KEEP}"
        )
    if model.loss.is_regression != recipe.is_regression:
        expected, found = ("regression", "classification")[:: 1 if model.loss.is_regression else -1]
        raise ValueError(f"task: expected {expected} as of the trained model, found {found}; {KEEP}")


def missing_for(recipe: Recipe, model: Sequential) -> str:
    """Return what becomes of missing values: rows are left out, the model fills them, or they are an error."""
    if recipe.missing == "drop":
        return "drop"
    return "mean" if model.encoder.fills else "error"


def other_classes(decoder: ClassLabels, classes: int, found: tuple[str, ...]) -> ValueError:
    """Return the error for labels that the model does not know."""
    known = decoder.names(classes)
    other = next((name for name in found if name not in known), found[-1])
    more = ", ..." if len(known) > SHOWN else ""
    return ValueError(
        f"expected labels of the trained model's classes ({', '.join(known[:SHOWN])}{more}), found {other!r}; {KEEP}, "
        "for other classes"
    )


def adapted(recipe: Recipe, facts: Facts, model: Sequential) -> Facts:
    """Return the facts of rows that were read by themselves as if they had been packed for the model.

    Raises ValueError for columns that are missing, and for labels that the model does not know.
    """
    check_recipe(recipe, model)
    names = tuple(column.name for column in facts.columns or ()) if facts.has_names else ()
    try:
        if model_columns.by_name(model.encoder.names, names, "the rows") is None:
            model_columns.refuse_other_width(model.columns, facts.width, model.encoder.names, "the rows")
    except DataError as error:
        raise ValueError(str(error)) from None
    facts = facts._replace(width=model.columns, columns=tuple(schema_for(model.encoder)) or None)
    if recipe.keep_layers is not None or recipe.is_regression:
        return facts
    return with_classes_of(facts, model)


def with_classes_of(facts: Facts, model: Sequential) -> Facts:
    """Return facts whose labels, read by themselves, are numbered as the classes of the model.

    Raises ValueError for a label that the model does not know.
    """
    assert isinstance(model.decoder, ClassLabels)
    numbers = {name: number for number, name in enumerate(model.decoder.names(model.classes))}
    own = facts.labeled.names(facts.classes)
    found = [own[number] for number in np.unique(facts.labels)]
    if not set(found) <= numbers.keys():
        raise other_classes(model.decoder, model.classes, tuple(found))
    table = np.array([numbers.get(name, 0) for name in own], np.int16)
    return facts._replace(labels=table[facts.labels], labeled=model.decoder, classes=model.classes)


def initial_params(recipe: Recipe, network: Sequential, start_from: SavedModel | None) -> Params:
    """Return the initial weights of a network: drawn by the seed, but for those that are kept from the model."""
    kept = [] if start_from is None else start_from.params[: recipe.keep_layers]
    return [*kept, *network.init(recipe.seed)[len(kept) :]] if len(kept) < len(network.layers) else kept


def frozen_params(recipe: Recipe, network: Sequential, start_from: SavedModel | None) -> Params:
    """Return the weights of the frozen layers; none where nothing is frozen, for which no weights are drawn."""
    return initial_params(recipe, network, start_from)[: recipe.frozen] if recipe.frozen else []


def refuse_other_layers(recipe: Recipe, network: Sequential, model: Sequential) -> None:
    """Raise ValueError, with its number, where a layer that is kept differs from the model's."""
    keep = recipe.keep_layers
    if network.input_shape != model.input_shape:
        expected, found = ("x".join(map(str, each.input_shape)) for each in (model, network))
        raise ValueError(f"input_shape: expected {expected} as of the trained model, found {found}")
    pairs = zip_longest(*(map(_as_in_prediction, each.layers[:keep]) for each in (model, network)))
    for number, (of_model, found) in enumerate(pairs, 1):
        if of_model != found:
            names = ",".join(layer.short_name for layer in model.layers)
            raise ValueError(
                f"layer {number}: expected {of_model or 'none'} as in the trained model, found {found or 'none'}; "
                f"its layers, with those of its output, are {names}"
            )


def _as_in_prediction(layer: Layer) -> str:
    """Return the word of a layer without what has no part in predictions: initial weights, and the rate of dropout."""
    return spec.to_text(layer, without=("initializer", "gain", "rate"))


def _refuse_other_columns(facts: Facts, model: Sequential) -> None:
    """Raise ValueError where rows were packed for other columns than the model's."""
    if facts.width != model.columns:
        raise ValueError(
            f"expected rows of {model.columns:,} values, as the trained model takes, found {facts.width:,}"
        )
    expected = schema_for(model.encoder) or [ColumnSchema("")] * model.columns
    has_names = facts.has_names and model_columns.have_names(model.encoder.names)
    for own, theirs in zip(facts.columns, expected, strict=True) if facts.columns else ():
        if has_names and own.name != theirs.name:
            raise ValueError(f"expected the column {theirs.name!r} of the trained model, found {own.name!r}")
        if (own.values, own.offset) != (theirs.values, theirs.offset):
            raise ValueError(f"column {own.name!r}: expected rows that were packed for the trained model")

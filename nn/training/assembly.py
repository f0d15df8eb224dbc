"""Build the network, split, plan and optimizer of a recipe for given data, with its defaults filled in.

nn/training/run.py puts them together.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, cast

import numpy as np

from nn.core.options import options_of
from nn.data.decoding import Decoder, TargetScale
from nn.data.encoding import MOST_INPUTS, Encoder, SharedScale, TableEncoder
from nn.data.hold_out import HoldOut
from nn.data.schema import PIXELS, ColumnSchema, Encoding, encoder_for
from nn.data.split import Split
from nn.layers import Flatten
from nn.models.builder import build_network, infer_input_shape
from nn.models.sequential import Sequential
from nn.optim.first_order import FirstOrder
from nn.optim.optimizer import Optimizer
from nn.optim.parameter_averaging import ParameterAveraging
from nn.optim.rules import Rule
from nn.training.backend import Facts
from nn.training.plan import Plan
from nn.training.recipe import (
    ACTIVATION,
    FEW_ROWS,
    HIDDEN,
    MANY_OUTER_MOMENTUM,
    MANY_REPLICAS,
    SMALL_BATCH,
    Recipe,
    read_value,
)

OUTER_RATE, OUTER_MOMENTUM = 1.0, 0.0


def resolved(recipe: Recipe) -> Recipe:
    """Fill in all defaults that do not depend on the data."""
    values: dict[str, Any] = {"optimizer": recipe.used_optimizer}
    if recipe.layers is None:
        values |= {"hidden": recipe.hidden or HIDDEN, "activation": recipe.activation or ACTIVATION}
    if recipe.averages_parameters:
        values |= {
            "batch_size": recipe.step_rows,
            "rounds_per_epoch": None if recipe.epochs_per_round > 1 else recipe.rounds_per_epoch or 1,
            "outer_learning_rate": recipe.outer_learning_rate or OUTER_RATE,
            "outer_momentum": OUTER_MOMENTUM if recipe.outer_momentum is None else recipe.outer_momentum,
        }
    elif recipe.batch_size is None:
        values["sample"] = recipe.fraction
    if not recipe.used_optimizer.needs_exact_cost:
        rate = recipe.learning_rate or cast(Rule, recipe.used_optimizer).default_learning_rate
        values |= {"learning_rate": rate, "schedule": recipe.rate_schedule}
    return dataclasses.replace(recipe, **values)


def for_replicas(recipe: Recipe, rows: int, replicas: int) -> Recipe:
    """Fill in the defaults for `rows` training rows on `replicas` replicas."""
    many = replicas >= MANY_REPLICAS and rows < FEW_ROWS * replicas
    if not (recipe.averages_parameters and many):
        return recipe
    momentum = MANY_OUTER_MOMENTUM if recipe.outer_momentum is None else recipe.outer_momentum
    return dataclasses.replace(recipe, batch_size=recipe.batch_size or SMALL_BATCH, outer_momentum=momentum)


def settled_as(recipe: Recipe, config: dict[str, Any]) -> Recipe:
    """Fill in the defaults that depend on the data as the configuration of an earlier run has them."""
    fields = options_of(Recipe)
    names = ["scale", *(("batch_size", "outer_momentum") if recipe.averages_parameters else ())]
    values = {
        name: read_value(fields[name], config.get(name, fields[name].metadata["earlier"]))
        for name in names
        if getattr(recipe, name) is None
    }
    return dataclasses.replace(recipe, **values)


def scale_of(recipe: Recipe, facts: Facts) -> str:
    """Return how columns of numbers are scaled: one scale for all where they are pixels, else each by itself."""
    if recipe.scale is not None:
        return recipe.scale
    are_pixels = facts.are_pixels and facts.width >= PIXELS
    return "largest" if recipe.takes_images or are_pixels else "standard"


def encoder_of(recipe: Recipe, facts: Facts) -> Encoder:
    """Return the encoder for the columns of the data, with the statistics of the rows that are learned from.

    It is that of the model that training starts from, if there is one. Raises ValueError where it needs statistics and
    the facts have none.
    """
    if facts.encoder is not None:
        return facts.encoder
    if not needs_statistics(recipe, facts):
        scale = facts.scale if scale_of(recipe, facts) == "largest" else 1.0
        names = facts.columns if facts.has_names else ()
        return SharedScale(scale, tuple(column.name for column in names or ()))
    if facts.width > MOST_INPUTS:
        raise ValueError(
            f"expected at most {MOST_INPUTS:,} columns that are scaled alone, found {facts.width:,}"
        )
    if facts.statistics is None:
        raise ValueError(
            "expected the statistics of the columns, which TrainingRun.on takes from the rows, found none"
        )
    how = Encoding(scale_of(recipe, facts), recipe.missing, recipe.unknown)
    return encoder_for(columns_of(facts), facts.statistics, how)


def needs_statistics(recipe: Recipe, facts: Facts) -> bool:
    """Return whether columns are encoded each by itself, by their statistics."""
    if facts.encoder is not None:
        return False
    plain = all(column.values is None and not column.offset for column in facts.columns or ())
    return not plain or recipe.missing != "error" or scale_of(recipe, facts) in ("standard", "minmax")


def columns_of(facts: Facts) -> tuple[ColumnSchema, ...]:
    """Return the columns of the inputs; without a header their names are their numbers."""
    return facts.columns or tuple(ColumnSchema(str(number)) for number in range(facts.width))


def decoder_of(recipe: Recipe, facts: Facts, split: Split) -> Decoder:
    """Return the labels of the classes, or the scale of the target in the rows that are learned from."""
    if not recipe.is_regression:
        return facts.labeled
    if facts.target is not None:
        return facts.target
    values = facts.labels
    if split.hold_out is not None:
        values = values[~split.hold_out.mask(np.arange(len(values)))]
    if not len(values):
        return TargetScale()
    return TargetScale(float(values.mean()), float(values.std()) or 1.0)


def network_of(recipe: Recipe, facts: Facts, split: Split | None = None) -> Sequential:
    """Return the network for the data. Raises ValueError where shapes do not fit, with the layer.

    Also where the first layers that are kept or frozen are more than all layers before the output's.
    """
    encoder = encoder_of(recipe, facts)
    decoder = decoder_of(recipe, facts, split or Split(len(facts.labels)))
    width = encoder.width if isinstance(encoder, TableEncoder) else facts.width
    layers = recipe.hidden_layers
    shape = recipe.input_shape or infer_input_shape(layers, width, bool(recipe.augment))
    if recipe.layers is None and len(shape) > 1:
        layers = (Flatten(), *layers)  # a perceptron takes images as rows
    if math.prod(shape) != width:
        text = "x".join(map(str, shape))
        raise ValueError(f"input_shape: {text} makes {math.prod(shape)} values, found {width} a row")
    model = build_network(
        layers,
        shape,
        1 if recipe.is_regression else facts.classes,
        recipe.used_loss,
        encoder,
        recipe.initializer,
        decoder,
    )
    for name in ("keep_layers", "freeze"):
        if (getattr(recipe, name) or 0) > len(layers):
            raise ValueError(
                f"{name}: expected at most {len(layers)}, the layers before the output's, which always learns, found "
                f"{getattr(recipe, name)}"
            )
    if recipe.augment and len(shape) != 3:
        raise ValueError(f"augment: needs images (h, w, c), got a row of {width}; say input_shape")
    return model


def split_of(recipe: Recipe, facts: Facts) -> Split:
    """Return the validation split and the class weights of the training rows.

    Raises ValueError if no rows to learn from are left, for a class that does not exist, and for labels that the loss
    cannot learn.
    """
    labels, rows = facts.labels, len(facts.labels)
    recipe.used_loss.check_labels(labels)
    hold_out = HoldOut(recipe.seed, recipe.validation_fraction, rows) if recipe.validation_fraction else None
    if facts.held_out is not None:
        if hold_out is not None:
            raise ValueError(
                "validation_fraction and validation_column exclude each other: both say what to hold out"
            )
        hold_out = HoldOut.of_mask(facts.held_out)
    if recipe.patience is not None and hold_out is None:
        raise ValueError("patience needs validation_fraction: the validation cost says when to stop")
    if recipe.class_weights is None:
        return Split(rows, hold_out)
    if hold_out is not None:
        # Balanced by the rows that are learned from: others may not say how to learn.
        labels = labels[~hold_out.mask(np.arange(rows))]
    class_rows = np.bincount(labels, minlength=facts.classes)
    return Split(rows, hold_out, recipe.class_weights.table(class_rows, facts.labeled))


def plan_of(recipe: Recipe, rows: int, validates: bool | None = None) -> Plan:
    """Return the plan for a number of training rows; `validates`: there are validation rows, by default a fraction."""
    return Plan(
        rows,
        recipe.epochs,
        recipe.fraction,
        recipe.step_rows,
        recipe.seed,
        validates=recipe.validation_fraction > 0 if validates is None else validates,
        keeps_best=recipe.patience is not None,
        noisy=recipe.is_noisy,
        rounds=min(recipe.rounds_per_epoch or 1, max(rows, 1)) if recipe.averages_parameters else None,
        average=recipe.average_weights,
        epochs_per_round=recipe.epochs_per_round,
    )


def optimizer_of(recipe: Recipe, plan: Plan) -> Optimizer:
    """Return the optimizer with its schedule."""
    if recipe.used_optimizer.needs_exact_cost:
        return cast(Optimizer, recipe.used_optimizer)
    recipe = resolved(recipe)
    assert recipe.learning_rate is not None
    first_order = FirstOrder(
        cast(Rule, recipe.used_optimizer),
        recipe.rate_schedule,
        recipe.learning_rate,
        recipe.epochs,
        plan.jobs,
        recipe.warmup,
        recipe.clip,
    )
    if not recipe.averages_parameters:
        return first_order
    assert recipe.batch_size is not None and recipe.outer_learning_rate is not None
    assert recipe.outer_momentum is not None
    return ParameterAveraging(
        first_order,
        recipe.batch_size,
        recipe.outer_learning_rate,
        recipe.outer_momentum,
        recipe.epochs_per_round,
    )

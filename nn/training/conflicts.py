"""Refuse options of a recipe that exclude or need each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nn.models.sequential import MAX_LAYERS

if TYPE_CHECKING:
    from nn.training.recipe import Recipe


def refuse_conflicts(recipe: Recipe) -> None:
    """Raise ValueError, naming both, for options of a recipe that exclude or need each other."""
    for name, other, why in (
        ("layers", "hidden", "layers lists them all"),
        ("layers", "activation", "layers names it after each layer"),
        ("sample", "batch_size", "a step takes a share of all rows, or a mini-batch"),
    ):
        if getattr(recipe, name) is not None and getattr(recipe, other) is not None:
            raise ValueError(f"{name} and {other} exclude each other: {why}")
    depth, most = len(recipe.hidden_layers), MAX_LAYERS - 2
    if depth > most:
        raise ValueError(f"expected at most {most} layers before the output's, found {depth}")
    if recipe.warmup and recipe.warmup >= recipe.epochs:
        raise ValueError(f"warmup: expected fewer than the {recipe.epochs} epochs, found {recipe.warmup:g}")
    _refuse_for_task(recipe)
    _refuse_for_averaging(recipe)
    schedule = recipe.rate_schedule
    if recipe.used_optimizer.needs_exact_cost:
        _refuse_for_lbfgs(recipe)
    elif recipe.warmup and (schedule.can_reject or schedule.name == "one-cycle"):
        raise ValueError(
            f"warmup and {schedule.name} exclude each other: it finds its own way up; say another schedule"
        )


def _refuse_for_task(recipe: Recipe) -> None:
    """Raise ValueError for options of the other task."""
    if not recipe.is_regression:
        if recipe.loss.is_regression:
            raise ValueError(
                f"loss {recipe.loss.name} needs task=regression: it compares values, not classes"
            )
        return
    if not recipe.used_loss.is_regression:
        raise ValueError(
            f"loss {recipe.loss.name} and task=regression exclude each other: it compares classes"
        )
    if recipe.class_weights is not None:
        raise ValueError("class_weights and task=regression exclude each other: there are no classes")


def _refuse_for_averaging(recipe: Recipe) -> None:
    """Raise ValueError for options that need the other value of `average`."""
    if recipe.averages_parameters:
        if recipe.sample is not None:
            raise ValueError(
                "sample and average=parameters exclude each other: replicas go through all their rows"
            )
        if recipe.epochs_per_round > 1:
            _refuse_for_long_rounds(recipe)
        return
    if recipe.epochs_per_round > 1:
        raise ValueError("epochs_per_round needs average=parameters")
    for name in ("rounds_per_epoch", "outer_learning_rate", "outer_momentum"):
        if getattr(recipe, name) is not None:
            raise ValueError(f"{name} needs average=parameters")


def _refuse_for_long_rounds(recipe: Recipe) -> None:
    """Raise ValueError for options that a round of several epochs excludes."""
    if recipe.rounds_per_epoch is not None:
        raise ValueError(
            "epochs_per_round and rounds_per_epoch exclude each other: a round is several epochs, or a part of one"
        )
    if recipe.rate_schedule.needs_costs:
        raise ValueError(
            f"epochs_per_round and schedule={recipe.rate_schedule.name} exclude each other: it needs a cost after each "
            "epoch, which the driver knows after a round"
        )


def _refuse_for_lbfgs(recipe: Recipe) -> None:
    """Raise ValueError for options that make the cost noisy or not smooth, or that set the step length."""
    exact, length = "its line search needs exact costs", "its line search finds the length of each step"
    for name, is_given, why in (
        ("sample", recipe.sample not in (None, 1.0), exact),
        ("batch_size", recipe.batch_size is not None, exact),
        ("average=parameters", recipe.averages_parameters, exact),
        ("dropout", any(layer.is_random for layer in recipe.hidden_layers[recipe.frozen :]), exact),
        ("augment", bool(recipe.augment), exact),
        ("learning_rate", recipe.learning_rate is not None, length),
        ("schedule", recipe.schedule is not None, length),
        ("warmup", recipe.warmup > 0, length),
        ("l1", recipe.l1 > 0, "|W| has no slope at 0; use l2"),
        ("clip", recipe.clip is not None, "its line search bounds each step"),
        ("average_weights", recipe.average_weights is not None, "each of its steps lowers the exact cost"),
    ):
        if is_given:
            raise ValueError(f"l-bfgs and {name} exclude each other: {why}")

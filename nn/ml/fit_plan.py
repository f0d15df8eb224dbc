"""Convert the Params of an estimator to a recipe, and to how its DataFrame is read, where it starts and stops."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError, UsageError
from nn.core.options import options_of
from nn.data import csv
from nn.data.model_columns import have_names, listed
from nn.data.schema import ColumnSchema
from nn.data.tables import schema_for
from nn.layers import Flatten
from nn.ml.params import GD, OPTIONS, NetworkParams
from nn.models import perceptron
from nn.models.losses import CrossEntropy, HalfSquaredError
from nn.models.model_file import SavedModel
from nn.models.sequential import Sequential
from nn.optim.lbfgs import LBFGS
from nn.optim.rules import SGD
from nn.optim.schedules import Constant
from nn.spark.frames.interface import FrameColumns, FrameRequest
from nn.training import pretrained
from nn.training.convergence import Stop, StopDescent, StopLBFGS, never
from nn.training.recipe import CLASSIFICATION, REGRESSION, Recipe, read_value

# The names in messages about a recipe; others are the same words, or words of any sentence.
_PARAM_OF = {field: name for name, field in OPTIONS.items() if "_" in field or name == "averaging"}
_PARAM_OF |= {"validation_column": "validationIndicatorCol", "start_from": "startFrom"}
_FIELDS = re.compile(rf"\b({'|'.join(_PARAM_OF)})\b(?!-)")


class FitPlan(NamedTuple):
    """How one estimator trains."""

    recipe: Recipe
    request: FrameRequest
    epochs: int  # 0: the initial weights are the model
    stop: Stop
    sizes: tuple[int, ...] | None  # of the layers, where `layers` is set
    initial_weights: np.ndarray | None  # (m,); None: drawn by the seed
    seed: int
    start_from: str | None  # the path of a trained model
    checkpoint_dir: str
    checkpoint_interval: int  # epochs

    @property
    def draws_as_spark(self) -> bool:
        """Return whether the network is Spark's perceptron, whose initial weights follow from the seed alone."""
        recipe, is_new = self.recipe, self.start_from is None
        plain = isinstance(recipe.loss, CrossEntropy) and recipe.initializer is None
        return self.sizes is not None and plain and is_new

    def started(self, saved: SavedModel) -> FitPlan:
        """Return the plan to start from a trained model: rows are read for its columns, labels are its classes.

        Raises UsageError where the Params and the model do not fit each other, DataError for other columns than its.
        """
        recipe, model, request = self.recipe, saved.model, self.request
        try:
            if recipe.layers is None and recipe.hidden is None:
                hidden = model.layers[: -2 if isinstance(model.loss, HalfSquaredError) else -1]
                values: dict[str, Any] = {
                    "layers": hidden or (Flatten(),),
                    "loss": model.loss,
                    "input_shape": model.input_shape,
                }
                recipe = dataclasses.replace(recipe, **values)
            missing = pretrained.missing_for(recipe, model)
        except ValueError as error:
            raise UsageError(in_params(str(error))) from None
        keeps_all = recipe.keep_layers is None and not recipe.is_regression
        columns, schema = _columns_for(model, request.columns)
        request = request._replace(
            columns=columns,
            classes=model.classes if keeps_all else request.classes,
            width=model.columns if isinstance(columns.features, str) else None,
            schema=schema,
            missing=missing,
        )
        return self._replace(recipe=recipe, request=request)


def _columns_for(model: Sequential, columns: FrameColumns) -> tuple[FrameColumns, tuple[ColumnSchema, ...]]:
    """Return the columns in the order of a trained model, and what it takes in each of its inputs.

    A list of names is matched by name where the model has names too. Raises DataError for others than the model's.
    """
    names, features = model.encoder.names, columns.features
    schema = tuple(schema_for(model.encoder)) or tuple(ColumnSchema(str(n)) for n in range(model.columns))
    if isinstance(features, str):
        if any(column.values is not None for column in schema):
            raise DataError(
                f"featuresCol: expected the columns of the trained model, found {features!r} alone; as it has "
                f"categories, give their names: {listed(names)}"
            )
        return columns, schema
    if not have_names(names):
        if len(features) != model.columns:
            raise DataError(
                f"featuresCol: expected {model.columns:,} values per row, as the trained model takes, found "
                f"{len(features):,}"
            )
        return columns, schema
    missing, others = Counter(names) - Counter(features), Counter(features) - Counter(names)
    if missing or others:
        found = [f"none called {listed([*missing])}"] if missing else []
        found += [f"{listed([*others])} beside them"] if others else []
        raise DataError(f"featuresCol: expected the columns of the trained model, found {'; '.join(found)}")
    return columns._replace(features=names), schema


def fit_plan(stage: NetworkParams, is_regression: bool) -> FitPlan:
    """Return how an estimator trains. Raises UsageError, naming Params, for those that exclude or need each other."""
    try:
        return _fit_plan(stage, is_regression)
    except ValueError as error:
        raise UsageError(in_params(str(error))) from None


def in_params(message: str) -> str:
    """Return a message about options of a recipe with the names of the Params."""
    return _FIELDS.sub(lambda match: _PARAM_OF[match[1]], message)


def _fit_plan(stage: NetworkParams, is_regression: bool) -> FitPlan:
    given = {name: stage._given(name) for name in OPTIONS if stage.hasParam(name)}
    given = {name: value for name, value in given.items() if value is not None}
    sizes = stage._given("layers")
    _refuse_conflicts(stage, given, sizes, is_regression)
    base = None if stage._given("recipe") is None else _named(stage.recipe.name, stage._given("recipe"))
    uses_solver = "optimizer" not in given and (base is None or stage._given("solver") is not None)
    values = _options(stage, given, sizes, base, is_regression)
    if uses_solver:
        values |= _solver_options(stage)
    epochs = stage._value("maxIter")
    if base is not None and stage._given("maxIter") is None:
        epochs = base.epochs
    recipe = _replaced(base or Recipe(), values, epochs, uses_solver and stage._given("solver") is None)
    weights = stage._given("initialWeights")
    return FitPlan(
        recipe,
        _request(stage, recipe, sizes),
        epochs,
        _stop(stage, recipe, uses_solver, epochs),
        sizes and tuple(sizes),
        None if weights is None else np.asarray(weights.toArray(), np.float64),
        int(stage._value("seed")),
        stage._given("startFrom"),
        stage._given("checkpointDir") or "",
        stage._value("checkpointInterval"),
    )


def _options(
    stage: NetworkParams,
    given: dict[str, Any],
    sizes: list[int] | None,
    base: Recipe | None,
    is_regression: bool,
) -> dict[str, Any]:
    """Return the options of a recipe that the Params give, all but the optimizer's."""
    fields = options_of(Recipe)
    values = {OPTIONS[name]: read_value(fields[OPTIONS[name]], value) for name, value in given.items()}
    if base is None:
        if not is_regression:
            values.setdefault("loss", CrossEntropy())
        if isinstance(stage._value("featuresCol"), str):
            values.setdefault("scale", "none")
    if sizes is not None:
        values["layers"] = perceptron.hidden_layers(sizes)
    values["task"] = REGRESSION if is_regression else CLASSIFICATION
    values["seed"] = int(stage._value("seed")) % (1 << 63)
    return values


def _refuse_conflicts(
    stage: NetworkParams, given: dict[str, Any], sizes: list[int] | None, is_regression: bool
) -> None:
    """Raise UsageError for Params that exclude or need each other."""
    if stage._given("solver") is not None and "optimizer" in given:
        raise UsageError("solver and optimizer exclude each other: set one of them")
    if sizes is not None and "layerSpec" in given:
        raise UsageError("layers and layerSpec exclude each other: set one of them")
    if sizes is not None and is_regression and sizes[-1] != 1:
        raise UsageError(f"layers: expected 1 output of a regression last, found {sizes[-1]}")
    if sizes is not None and sizes[-1] > csv.MOST_CLASSES:
        raise UsageError(f"layers: expected at most {csv.MOST_CLASSES:,} classes last, found {sizes[-1]:,}")
    names_network = sizes is not None or "layerSpec" in given
    if not names_network and stage._given("recipe") is None and stage._given("startFrom") is None:
        raise UsageError(
            'expected layers=[inputs, ..., classes], layerSpec="dense:64,relu" or a recipe, found none'
        )
    if stage._given("startFrom") is not None and stage._given("initialWeights") is not None:
        raise UsageError("startFrom and initialWeights exclude each other: set one of them")
    if stage._given("validationIndicatorCol") and given.get("validationFraction"):
        raise UsageError("validationIndicatorCol and validationFraction exclude each other: set one of them")
    held_out = stage._given("validationIndicatorCol") or given.get("validationFraction")
    if "patience" in given and not held_out and stage._given("recipe") is None:
        raise UsageError(
            "patience needs validationIndicatorCol or validationFraction: their cost says when to stop"
        )


def _solver_options(stage: NetworkParams) -> dict[str, Any]:
    """Return the options of a recipe that the solver stands for."""
    if stage._value("solver") == GD:
        rate = stage._value("stepSize")
        return {"optimizer": SGD(), "schedule": Constant(), "learning_rate": rate, "sample": 1.0}
    return {"optimizer": LBFGS(tolerance=0.0)}  # `tol` decides


def _replaced(base: Recipe, values: dict[str, Any], epochs: int, is_default: bool) -> Recipe:
    """Return the recipe with other values, and without its own that do not go with them.

    An epoch of l-bfgs is a trial, of which a step may take several.
    """
    optimizer = values.get("optimizer", base.used_optimizer)
    trials = optimizer.max_trials + 1 if isinstance(optimizer, LBFGS) else 1
    try:
        return base.replace(**values, epochs=max(1, epochs * trials + (trials > 1)))
    except ValueError as error:
        advice = (
            '; set optimizer, such as "adam"' if is_default and str(error).startswith("l-bfgs and") else ""
        )
        raise ValueError(f"{error}{advice}") from None


def _stop(stage: NetworkParams, recipe: Recipe, uses_solver: bool, epochs: int) -> Stop:
    tolerance = stage._value("tol") if uses_solver else 0.0
    if recipe.used_optimizer.needs_exact_cost:
        return StopLBFGS(tolerance, epochs)
    return StopDescent(tolerance) if uses_solver else never


def _request(stage: NetworkParams, recipe: Recipe, sizes: list[int] | None) -> FrameRequest:
    features = stage._value("featuresCol")
    columns = FrameColumns(
        features if isinstance(features, str) else tuple(features),
        stage._value("labelCol"),
        stage._given("weightCol") or "",
        stage._given("validationIndicatorCol") or "",
    )
    return FrameRequest(
        columns,
        recipe.is_regression,
        classes=sizes[-1] if sizes is not None and not recipe.is_regression else None,
        width=sizes[0] if sizes is not None and isinstance(features, str) else None,
        partitions=stage._given("numPartitions"),
        offsets=recipe.centers_columns,
        missing=recipe.missing,
        categorical=tuple(stage._given("categoricalCols") or ()),
        max_categories=recipe.max_categories,
    )


def _named(param: str, recipe: str) -> Recipe:
    """Return the recipe of this name or in this file. Raises ValueError, with the Param's name, where there is none."""
    try:
        return Recipe.read(recipe)
    except ValueError as error:
        raise ValueError(f"{param}: {error}") from None

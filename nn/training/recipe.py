"""A recipe: the network and how it is trained, all but the data.

The same recipe trains on a cluster (main_task.py) and on arrays in memory (nn.fit). Its fields are the options of the
command line and the keys of a configuration file.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from nn.core import spec
from nn.core.constraints import (
    ABOVE_0_TO_1,
    AT_LEAST_ONE,
    FROM_0_BELOW_1,
    NON_NEGATIVE,
    POSITIVE,
    Interval,
    check_fields,
)
from nn.core.options import (
    Choice,
    IntegerList,
    Number,
    Spec,
    SpecList,
    option,
    options_of,
)
from nn.data.augmentation import AUGMENTATIONS
from nn.data.class_weights import ClassWeights, ClassWeightsReader
from nn.data.columns import ColumnList, Reference
from nn.data.labels import CLASSIFICATION, REGRESSION, TASKS
from nn.data.schema import MISSING, SCALES, UNKNOWNS
from nn.layers import ACTIVATIONS, LAYERS, Layer
from nn.layers.initializers import INITIALIZERS
from nn.models.builder import perceptron_layers
from nn.models.losses import LOSSES, HalfSquaredError, Loss
from nn.models.regression_losses import REGRESSION_LOSSES, SquaredError
from nn.optim.lbfgs import LBFGS
from nn.optim.rules import RULES, SGD, Momentum, Rule
from nn.optim.schedules import SCHEDULES, BoldDriver, Constant, Schedule
from nn.optim.weight_averages import WEIGHT_AVERAGES, WeightAverage
from nn.training.conflicts import refuse_conflicts
from nn.training.recipe_files import recipe_object
from nn.training.replacements import replaced_by
from nn.training.run_options import RunOptions

OPTIMIZERS: dict[str, Any] = {**RULES, LBFGS.name: LBFGS}
HIDDEN = (64,)
ACTIVATION = "sigmoid"
AVERAGES = ("gradients", "parameters")
LOCAL_BATCH = 64  # rows of a replica's step where the user names no batch size
# Many replicas of few rows each go further with smaller steps and an outer momentum: measured in docs/scaling.md.
MANY_REPLICAS, FEW_ROWS = 16, 4000
SMALL_BATCH, MANY_OUTER_MOMENTUM = 32, 0.5
MOMENTUM_DRIVER = BoldDriver(growth=1.15)  # a velocity makes steps longer too: benchmarks/results/README.md
SAMPLE = 0.7  # of the rows, in a full step of a first-order rule, as in the original


@dataclass(frozen=True)
class Recipe:
    """The network and how it is trained. `Recipe.of` makes one from words and JSON values, as of the command line.

    Raises ValueError for a value that an option cannot have, and for options that exclude each other.

    None stands for a default that depends on the rest: 64 sigmoid units for `layers`, `hidden` and `activation`
    together, the optimizer, its default `learning_rate` and `schedule`, and a `sample` of 0.7 for full steps.
    """

    hidden: tuple[int, ...] | None = option(
        None,
        IntegerList(",", "units as 64 or 128,64", "UNITS"),
        "units of the dense hidden layers, as 64 or 128,64 (default 64)",
        group="network",
    )
    activation: str | None = option(
        None,
        Choice(ACTIVATIONS),
        f"of the hidden layers: {', '.join(ACTIVATIONS)} (default {ACTIVATION})",
        group="network",
    )
    layers: tuple[Layer, ...] | None = option(
        None,
        SpecList(LAYERS, "layer"),
        "instead of both: all layers but the output's, as "
        '"conv2d:16x5,relu,maxpool2d:2,flatten,dense:128,relu,dropout:0.5"',
        group="network",
    )
    input_shape: tuple[int, ...] | None = option(
        None,
        IntegerList("x", "a shape as 28x28x1", "HxWxC", (1, 2, 3)),
        "shape of a row, as 28x28x1 (default for image layers: a gray square, where the width is a square number)",
        group="network",
    )
    initializer: str | None = option(
        None,
        Choice(INITIALIZERS),
        f"initial weights: {', '.join(INITIALIZERS)} (default: he_normal before relu and similar activations, else "
        "glorot_uniform, larger before a sigmoid; zeros for the output of a regression)",
        group="network",
    )
    loss: Loss = option(
        HalfSquaredError(),
        Spec({**REGRESSION_LOSSES, **LOSSES}, "loss"),
        "mse: sigmoid outputs, half the sum of squares; cross-entropy: softmax; binary-cross-entropy: one sigmoid for "
        "two classes; cross-entropy:smoothing=0.1 smooths the labels; of a regression: mse (squared error), "
        "absolute-error, huber:1 (default mse)",
        group="network",
    )
    keep_layers: int | None = option(
        None,
        Number(AT_LEAST_ONE),
        "of the model that training starts from: keep the weights of the first N layers; those of the others and of a "
        "new output layer are drawn, so that other classes or another target can be learned (default: keep all)",
        group="network",
        after="start_from",
    )
    freeze: int | None = option(
        None,
        Number(AT_LEAST_ONE),
        "leave the weights of the first N layers as they are; these layers run as in prediction",
        group="network",
        after="keep_layers",
    )
    task: str = option(
        CLASSIFICATION,
        Choice(TASKS),
        "classification: labels are classes; regression: they are values of a target (default classification)",
        group="network",
        earlier=CLASSIFICATION,
    )
    scale: str | None = option(
        None,
        Choice(SCALES),
        "of the columns of numbers: standard (mean 0, standard deviation 1 per column), minmax (0 to 1 per column), "
        "largest (all divided by the largest value) or none (default standard; largest for images and pixels)",
        group="columns",
        earlier="largest",
    )
    missing: str = option(
        "error",
        Choice(MISSING),
        "what to do about a missing value: error; mean or zero of the column; indicator: the mean and one more input, "
        "1 where it is missing; drop: leave the row out (default error)",
        group="columns",
        earlier="error",
    )
    categorical: tuple[Reference, ...] = option(
        (),
        ColumnList(),
        "columns of numbers that are categories, such as codes; columns of text always are",
        group="columns",
    )
    max_categories: int = option(
        100,
        Number(AT_LEAST_ONE),
        "inputs per column of categories: the most frequent get one each, the others share one (default 100)",
        group="columns",
        earlier=100,
    )
    unknown: str = option(
        "other",
        Choice(UNKNOWNS),
        "a category that is in no training row: other (an input of its own) or error (default other)",
        group="columns",
        earlier="other",
    )
    class_weights: ClassWeights | None = option(
        None,
        ClassWeightsReader(),
        "balanced: every class counts alike; or weights as 0=1,3=2.5 (default: every row counts alike)",
        group="training",
        after="l2",
    )
    epochs: int = option(
        100, Number(AT_LEAST_ONE), "how long to train, in epochs (default 100)", group="training"
    )
    sample: float | None = option(
        None,
        Number(ABOVE_0_TO_1, "FRACTION"),
        f"one step per epoch, on a fresh random part of the rows (default {SAMPLE})",
        group="training",
    )
    batch_size: int | None = option(
        None,
        Number(AT_LEAST_ONE),
        "instead of a sample: cut each epoch into even random batches of at most N rows, one step and one job each; "
        f"with parameters averaged, each replica's rows, without a job for each (default then {LOCAL_BATCH}, or "
        f"{SMALL_BATCH} for many replicas of few rows)",
        group="training",
    )
    average: str = option(
        "gradients",
        Choice(AVERAGES),
        "gradients: the driver takes one step for the rows of a job; parameters: each partition is a replica that "
        "takes steps of its own in mini-batches, and their parameters are averaged each round (default gradients)",
        group="training",
    )
    rounds_per_epoch: int | None = option(
        None,
        Number(AT_LEAST_ONE),
        "how many times per epoch parameters are averaged, a job each (default 1)",
        group="training",
    )
    epochs_per_round: int = option(
        1,
        Number(AT_LEAST_ONE),
        "instead of rounds per epoch: let each replica go through N epochs by itself before parameters are averaged, a "
        "job for N epochs; validation rows are measured, checkpoints written and patience counted after a round "
        "(default 1)",
        group="training",
        earlier=1,
    )
    outer_learning_rate: float | None = option(
        None,
        Number(POSITIVE, "RATE"),
        "factor of the replicas' mean change that the driver applies; 1 gives the mean of their parameters (default 1)",
        group="training",
    )
    outer_momentum: float | None = option(
        None,
        Number(FROM_0_BELOW_1, "SHARE"),
        f"Nesterov momentum of the driver's steps along the mean change (default 0, or {MANY_OUTER_MOMENTUM} for "
        f"{MANY_REPLICAS} or more replicas of fewer than {FEW_ROWS:,} rows each)",
        group="training",
    )
    optimizer: Rule | LBFGS | None = option(
        None,
        Spec(OPTIMIZERS, "optimizer"),
        f"{', '.join(OPTIMIZERS)}; fields as momentum:0.8 or adamw:weight_decay=0.1 (default: momentum where an epoch "
        "is one step and no schedule is given, else sgd)",
        group="training",
    )
    learning_rate: float | None = option(
        None,
        Number(POSITIVE, "RATE"),
        "size of a step (default 0.1; adagrad 0.01; rmsprop, adam and adamw 0.001)",
        group="training",
    )
    schedule: Schedule | None = option(
        None,
        Spec(SCHEDULES, "schedule"),
        f"{', '.join(SCHEDULES)}; fields as step:10:drop=0.5. Bold Driver grows the rate while the cost falls and "
        "undoes a step that raises it (default, with averaged gradients: bold-driver for sgd, "
        f"{spec.to_text(MOMENTUM_DRIVER)} for momentum and nesterov; else constant)",
        group="training",
    )
    warmup: float = option(
        0.0,
        Number(NON_NEGATIVE, "EPOCHS"),
        "let the rate rise linearly over the first epochs (default 0)",
        group="training",
    )
    l1: float = option(
        0.0,
        Number(NON_NEGATIVE, "X"),
        "add this times the sum of |W| to the cost, biases left out (default 0)",
        group="training",
    )
    l2: float = option(
        0.0,
        Number(NON_NEGATIVE, "X"),
        "add half of this times the sum of W^2 likewise (default 0)",
        group="training",
    )
    clip: float | None = option(
        None,
        Number(POSITIVE, "NORM"),
        "scale gradients of a larger norm down to this one",
        group="training",
        after="warmup",
    )
    validation_fraction: float = option(
        0.0,
        Number(FROM_0_BELOW_1, "FRACTION"),
        "hold out this part of the training rows, and measure it after each epoch (default 0)",
        group="training",
    )
    patience: int | None = option(
        None,
        Number(AT_LEAST_ONE),
        "stop after N epochs without a lower validation cost, and keep the best epoch's weights",
        group="training",
    )
    average_weights: WeightAverage | None = option(
        None,
        Spec(WEIGHT_AVERAGES, "average"),
        "the model is an average of the weights along the run: ema:DECAY of those after each step or round, as "
        "ema:0.99; last:N of those after the last N epochs (default: the last weights)",
        group="training",
    )
    augment: tuple = option(
        (),
        SpecList(AUGMENTATIONS, "augmentation"),
        'change training images at random each epoch, as "shift:2,rotate:10,scale:0.1,elastic:2,flip"',
        group="training",
        after="class_weights",
    )
    seed: int = option(
        0,
        Number(Interval(int, 0)),
        "seed of all random numbers; same seed and partitions, same bits (default 0)",
        group="run",
    )

    def __post_init__(self) -> None:
        check_fields(self)
        refuse_conflicts(self)

    @classmethod
    def of(cls, **values: Any) -> Recipe:
        """Make a recipe of words and JSON values: Recipe.of(layers="dense:64,relu", optimizer="adam").

        Raises ValueError for a name that no option has, and for a value that it cannot take.
        """
        return cls(**_read(values))

    def replace(self, **values: Any) -> Recipe:
        """Return a recipe with other values for some options, in words and JSON values as in `of`; None: the default.

        As on the command line, a value also replaces those of the recipe that do not go with it: another optimizer its
        learning rate and schedule, `hidden` its `layers`.
        """
        given, fields = _read(values), options_of(type(self))
        replaced = {
            name
            for option, value in given.items()
            for name in replaced_by(option, None if values[option] is None else value)
        }
        defaults: dict[str, Any] = {
            name: fields[name].default for name in replaced & fields.keys() - given.keys()
        }
        return dataclasses.replace(self, **defaults, **given)

    @classmethod
    def read(cls, path: str | os.PathLike) -> Recipe:
        """Return the recipe of a name, such as "cnn", or in a configuration file; pass over the keys of `RunOptions`.

        Raises ValueError for a word that is no recipe, a file that cannot be read, a key that is neither's or is given
        twice, and a value that the key cannot take.
        """
        others, values = options_of(RunOptions), dict[str, Any]()
        for key, value in recipe_object(path).items():
            name = key.replace("-", "_")
            if name in values:
                raise ValueError(f"{path}: {name} is given twice")
            values[name] = value
        return cls.of(**{name: value for name, value in values.items() if name not in others})

    @property
    def hidden_layers(self) -> tuple[Layer, ...]:
        """Return all layers before the output layer."""
        if self.layers is not None:
            return self.layers
        return perceptron_layers(self.hidden or HIDDEN, self.activation or ACTIVATION)

    @property
    def frozen(self) -> int:
        """Return how many layers are frozen."""
        return self.freeze or 0

    @property
    def is_noisy(self) -> bool:
        """Return whether the cost of a job that learns is random: by augmentation, or by dropout that is not frozen."""
        return bool(self.augment) or any(layer.is_random for layer in self.hidden_layers[self.frozen :])

    @property
    def is_regression(self) -> bool:
        """Return whether labels are values of a target."""
        return self.task == REGRESSION

    @property
    def used_loss(self) -> Loss:
        """Return the loss that is minimized: mse is the squared error in a regression."""
        is_default = self.is_regression and isinstance(self.loss, HalfSquaredError)
        return SquaredError() if is_default else self.loss

    @property
    def takes_images(self) -> bool:
        """Return whether the inputs are pixels: image layers, an input shape or augmentation say so."""
        wants = any(layer.wants_image for layer in self.hidden_layers)
        return wants or self.input_shape is not None or bool(self.augment)

    @property
    def centers_columns(self) -> bool:
        """Return whether columns may be scaled each by itself, so that large numbers need an offset."""
        return self.scale in (None, "standard", "minmax") and not self.takes_images

    @property
    def rate_schedule(self) -> Schedule:
        """Return the schedule, or the default for the optimizer."""
        if self.schedule is not None:
            return self.schedule
        if self.averages_parameters:
            return Constant()
        rule = self.used_optimizer
        return (
            MOMENTUM_DRIVER
            if isinstance(rule, Momentum)
            else BoldDriver()
            if isinstance(rule, SGD)
            else Constant()
        )

    @property
    def used_optimizer(self) -> Rule | LBFGS:
        """Return the optimizer, or the default for the steps and the schedule."""
        if self.optimizer is not None:
            return self.optimizer
        return Momentum() if self.step_rows is None and self.schedule is None else SGD()

    @property
    def averages_parameters(self) -> bool:
        """Return whether each partition is a replica, and their parameters are averaged."""
        return self.average == "parameters"

    @property
    def step_rows(self) -> int | None:
        """Return the most rows of a mini-batch; None: one step per epoch."""
        return LOCAL_BATCH if self.batch_size is None and self.averages_parameters else self.batch_size

    @property
    def fraction(self) -> float:
        """Return the fraction of the rows in a step without mini-batches."""
        if self.sample is not None:
            return self.sample
        return 1.0 if self.step_rows is not None or self.used_optimizer.needs_exact_cost else SAMPLE


def _read(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values of the named options. Raises ValueError for an unknown name and for a wrong value."""
    fields, found = options_of(Recipe), {}
    for name, value in values.items():
        if name not in fields:
            raise ValueError(f"unknown option {name!r}; known: {', '.join(fields)}")
        try:
            found[name] = read_value(fields[name], value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return found


def read_value(field: dataclasses.Field, value: Any) -> Any:
    """Return the value of an option from JSON, a tuple, a NumPy number or the value itself. Raises ValueError."""
    reader = field.metadata["reader"]
    if value is None:
        return field.default
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, (int, float, str)) and value in reader:
        return value
    if isinstance(value, (list, tuple)):
        value = [item.item() if isinstance(item, np.generic) else item for item in value]
    return reader.json(value)

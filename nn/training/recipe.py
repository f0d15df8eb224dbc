"""A recipe: the network and how it is trained, all but the data.

The same recipe trains on a cluster (main_task.py) and on arrays in memory (nn.fit). Its fields are the options of the
command line and the keys of a configuration file.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from nn.core.options import (
    Choice,
    Integer,
    IntegerList,
    Number,
    Spec,
    SpecList,
    json_object,
    non_negative,
    option,
    options_of,
    positive,
)
from nn.data.augmentation import AUGMENTATIONS
from nn.data.class_weights import ClassWeights, ClassWeightsReader
from nn.data.encoding import SharedScale
from nn.data.hold_out import HoldOut
from nn.data.split import Split
from nn.layers import ACTIVATIONS, LAYERS, Flatten, Layer
from nn.layers.base import WrongKindError
from nn.layers.initializers import INITIALIZERS
from nn.models.builder import build_network, infer_input_shape, perceptron_layers
from nn.models.losses import LOSSES, HalfSquaredError, Loss
from nn.models.sequential import MAX_LAYERS, Sequential
from nn.optim.first_order import FirstOrder
from nn.optim.lbfgs import LBFGS
from nn.optim.optimizer import Optimizer
from nn.optim.parameter_averaging import ParameterAveraging
from nn.optim.regularization import Penalty
from nn.optim.rules import RULES, SGD, Momentum, Rule
from nn.optim.schedules import SCHEDULES, BoldDriver, Constant, Schedule
from nn.training.plan import Plan
from nn.training.run_options import RunOptions

OPTIMIZERS: dict[str, Any] = {**RULES, LBFGS.name: LBFGS}
HIDDEN = (64,)
ACTIVATION = "sigmoid"
AVERAGES = ("gradients", "parameters")
OUTER_RATE, OUTER_MOMENTUM = 1.0, 0.0
LOCAL_BATCH = 64  # rows of a replica's step where the user names no batch size
# Many replicas of few rows each go further with smaller steps and an outer momentum: measured in docs/scaling.md.
MANY_REPLICAS, FEW_ROWS = 16, 4000
SMALL_BATCH, MANY_OUTER_MOMENTUM = 32, 0.5
SAMPLE = 0.7  # of the rows, in a full step of a first-order rule, as in the original


@dataclass(frozen=True)
class Recipe:
    """The network and how it is trained. Raises ValueError for options that exclude each other.

    None stands for a default that depends on the rest: 64 sigmoid units for `layers`, `hidden` and `activation`
    together, the optimizer's default `learning_rate` and `schedule`, and a `sample` of 0.7 for full steps.
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
        "shape of a row, as 28x28x1 (default for image layers: a grey square, where the width is a square number)",
        group="network",
    )
    initializer: str | None = option(
        None,
        Choice(tuple(INITIALIZERS)),
        f"start values: {', '.join(INITIALIZERS)} (default: he_normal before relu and its kin, else "
        "glorot_uniform with measured gains)",
        group="network",
    )
    loss: Loss = option(
        HalfSquaredError(),
        Spec(LOSSES, "loss"),
        "mse: sigmoid outputs, half the sum of squares; cross-entropy: softmax; binary-cross-entropy: one sigmoid for "
        "two classes; cross-entropy:smoothing=0.1 smooths the labels (default mse)",
        group="network",
    )
    class_weights: ClassWeights | None = option(
        None,
        ClassWeightsReader(),
        "balanced: every class counts alike; or weights as 0=1,3=2.5 (default: every row counts alike)",
        group="training",
        after="l2",
    )
    epochs: int = option(100, Integer(1), "how long to train, in epochs (default 100)", group="training")
    sample: float | None = option(
        None,
        Number(0, 1, "a fraction above 0, at most 1", "FRACTION", above=True),
        f"one step an epoch, on a fresh random part of the rows (default {SAMPLE})",
        group="training",
    )
    batch_size: int | None = option(
        None,
        Integer(1),
        "instead of a sample: cut each epoch into even random batches of at most N rows, one step and one job each; "
        f"with parameters averaged, each replica's rows, without a job for each (default then {LOCAL_BATCH}, or "
        f"{SMALL_BATCH} for many replicas of few rows)",
        group="training",
    )
    average: str = option(
        "gradients",
        Choice(AVERAGES),
        "gradients: the driver takes one step for the rows of a job; parameters: each partition is a replica that "
        "descends by itself in mini-batches, and their parameters are averaged each round (default gradients)",
        group="training",
    )
    rounds_per_epoch: int | None = option(
        None,
        Integer(1),
        "average parameters so many times an epoch, a job each (default 1)",
        group="training",
    )
    outer_learning_rate: float | None = option(
        None,
        positive("RATE"),
        "step of the driver along the replicas' mean change, 1 ends at the mean of their parameters (default 1)",
        group="training",
    )
    outer_momentum: float | None = option(
        None,
        Number(0, 1, "a number from 0 to below 1", "SHARE", below=True),
        f"Nesterov momentum of the driver's steps along the mean change (default 0, or {MANY_OUTER_MOMENTUM} for "
        f"{MANY_REPLICAS} or more replicas of fewer than {FEW_ROWS:,} rows each)",
        group="training",
    )
    optimizer: Rule | LBFGS = option(
        SGD(),
        Spec(OPTIMIZERS, "optimizer"),
        f"{', '.join(OPTIMIZERS)}; fields as momentum:0.8 or adamw:weight_decay=0.1 (default sgd)",
        group="training",
    )
    learning_rate: float | None = option(
        None,
        positive("RATE"),
        "size of a step (default 0.1; adagrad 0.01; rmsprop, adam and adamw 0.001)",
        group="training",
    )
    schedule: Schedule | None = option(
        None,
        Spec(SCHEDULES, "schedule"),
        f"{', '.join(SCHEDULES)}; fields as step:10:drop=0.5. Bold Driver grows the rate while the cost falls and "
        "undoes a step that raises it (default bold-driver for sgd, momentum and nesterov with averaged gradients, "
        "else constant)",
        group="training",
    )
    warmup: float = option(
        0.0,
        non_negative("EPOCHS"),
        "let the rate rise linearly over the first epochs (default 0)",
        group="training",
    )
    l1: float = option(
        0.0,
        non_negative(),
        "add this times the sum of |W| to the cost, biases left out (default 0)",
        group="training",
    )
    l2: float = option(
        0.0, non_negative(), "add half of this times the sum of W^2 likewise (default 0)", group="training"
    )
    clip: float | None = option(
        None,
        positive("NORM"),
        "scale gradients of a larger norm down to this one",
        group="training",
        after="warmup",
    )
    validation_fraction: float = option(
        0.0,
        Number(0, 1, "a fraction from 0 to below 1", "FRACTION", below=True),
        "hold out this part of the training rows, and measure it each epoch (default 0)",
        group="training",
    )
    patience: int | None = option(
        None,
        Integer(1),
        "stop after N epochs without a lower validation cost, and keep the best epoch's weights",
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
        0, Integer(0), "of everything drawn; same seed and partitions, same bits (default 0)", group="run"
    )

    def __post_init__(self):
        for name, field in options_of(type(self)).items():
            _refuse_unread(name, field.metadata["reader"], getattr(self, name), field.default)
        for ask, other, why in (
            ("layers", "hidden", "layers lists them all"),
            ("layers", "activation", "layers names it after each layer"),
            ("sample", "batch_size", "the one is the other's replacement"),
        ):
            if getattr(self, ask) is not None and getattr(self, other) is not None:
                raise ValueError(f"{ask} and {other} exclude each other: {why}")
        depth, most = len(self.hidden_layers), MAX_LAYERS - 2
        if depth > most:
            raise ValueError(f"expected at most {most} layers before the output's, found {depth}")
        if self.patience is not None and not self.validation_fraction:
            raise ValueError("patience needs validation_fraction: the validation cost says when to stop")
        if self.warmup and self.warmup >= self.epochs:
            raise ValueError(f"warmup: expected fewer than the {self.epochs} epochs, found {self.warmup:g}")
        self._refuse_for_averaging()
        if self.optimizer.needs_exact_cost:
            self._refuse_for_lbfgs()
        elif self.warmup and (self.rate_schedule.can_reject or self.rate_schedule.name == "one-cycle"):
            name = self.rate_schedule.name
            raise ValueError(
                f"warmup and {name} exclude each other: it finds its own way up; say another schedule"
            )

    def _refuse_for_averaging(self) -> None:
        """Raise ValueError for options that need the other kind of averaging."""
        if self.averages_parameters:
            if self.sample is not None:
                raise ValueError(
                    "sample and average=parameters exclude each other: replicas go through all their rows"
                )
            return
        for name in ("rounds_per_epoch", "outer_learning_rate", "outer_momentum"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} needs average=parameters")

    def _refuse_for_lbfgs(self) -> None:
        """Raise ValueError for options that make the cost noisy or not smooth, or that set the step length."""
        noise = {
            "sample": self.sample not in (None, 1.0),
            "batch_size": self.batch_size is not None,
            "average=parameters": self.averages_parameters,
            "dropout": any(layer.is_random for layer in self.hidden_layers),
            "augment": bool(self.augment),
        }
        for name, asked in noise.items():
            if asked:
                raise ValueError(f"l-bfgs and {name} exclude each other: its line search needs exact costs")
        steps = {
            "learning_rate": self.learning_rate,
            "schedule": self.schedule,
            "warmup": self.warmup or None,
        }
        for name, value in steps.items():
            if value is not None:
                raise ValueError(
                    f"l-bfgs and {name} exclude each other: its line search finds the length of each step"
                )
        if self.l1:
            raise ValueError("l-bfgs and l1 exclude each other: |W| has no slope at 0; use l2")
        if self.clip is not None:
            raise ValueError("l-bfgs and clip exclude each other: its line search bounds each step")

    @classmethod
    def of(cls, **values: Any) -> Recipe:
        """Make a recipe of words and JSON values: Recipe.of(layers="dense:64,relu", optimizer="adam").

        Raises ValueError for a name that no option has, and for a value that it cannot take.
        """
        fields = options_of(cls)
        for name, value in values.items():
            if name not in fields:
                raise ValueError(f"unknown option {name!r}; known: {', '.join(fields)}")
            try:
                values[name] = _read(fields[name], value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cls(**values)

    @classmethod
    def read(cls, path: str) -> Recipe:
        """Return the recipe in a configuration file, such as recipes/cnn.json; pass over the keys of `RunOptions`.

        Raises ValueError for a file that cannot be read, a key that is neither's and a value that the key cannot take.
        """
        others = options_of(RunOptions)
        values = {name.replace("-", "_"): value for name, value in json_object(path).items()}
        return cls.of(**{name: value for name, value in values.items() if name not in others})

    @property
    def hidden_layers(self) -> tuple[Layer, ...]:
        """Return all layers before the output layer."""
        if self.layers is not None:
            return self.layers
        return perceptron_layers(self.hidden or HIDDEN, self.activation or ACTIVATION)

    @property
    def rate_schedule(self) -> Schedule:
        """Return the schedule, or the default for the optimizer."""
        if self.schedule is not None:
            return self.schedule
        judged = isinstance(self.optimizer, (SGD, Momentum)) and not self.averages_parameters
        return BoldDriver() if judged else Constant()

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
        return 1.0 if self.step_rows is not None or self.optimizer.needs_exact_cost else SAMPLE

    def for_replicas(self, rows: int, replicas: int) -> Recipe:
        """Fill in the defaults for `rows` training rows on `replicas` replicas."""
        many = replicas >= MANY_REPLICAS and rows < FEW_ROWS * replicas
        if not (self.averages_parameters and many):
            return self
        momentum = MANY_OUTER_MOMENTUM if self.outer_momentum is None else self.outer_momentum
        return dataclasses.replace(self, batch_size=self.batch_size or SMALL_BATCH, outer_momentum=momentum)

    def settled_as(self, config: dict[str, Any]) -> Recipe:
        """Fill in the defaults of `for_replicas` as the configuration of an earlier run has them."""
        said = {
            name: _read(options_of(type(self))[name], config.get(name))
            for name in ("batch_size", "outer_momentum")
            if self.averages_parameters and getattr(self, name) is None
        }
        return dataclasses.replace(self, **said)

    def resolved(self) -> Recipe:
        """Fill in all defaults that do not depend on the data."""
        said: dict[str, Any] = {}
        if self.layers is None:
            said = {"hidden": self.hidden or HIDDEN, "activation": self.activation or ACTIVATION}
        if self.averages_parameters:
            said |= {
                "batch_size": self.step_rows,
                "rounds_per_epoch": self.rounds_per_epoch or 1,
                "outer_learning_rate": self.outer_learning_rate or OUTER_RATE,
                "outer_momentum": OUTER_MOMENTUM if self.outer_momentum is None else self.outer_momentum,
            }
        elif self.batch_size is None:
            said["sample"] = self.fraction
        if not self.optimizer.needs_exact_cost:
            usual = cast(Rule, self.optimizer).default_learning_rate
            rate = usual if self.learning_rate is None else self.learning_rate
            said |= {"learning_rate": rate, "schedule": self.rate_schedule}
        return dataclasses.replace(self, **said)

    @property
    def noisy(self) -> bool:
        """Return whether dropout or augmentation make the cost of a gradient job noisy."""
        return bool(self.augment) or any(layer.is_random for layer in self.hidden_layers)

    def model(self, width: int, classes: int, scale: float = 1.0) -> Sequential:
        """Return the network for rows of `width` values. Raises ValueError where shapes do not fit, with the layer."""
        layers = self.hidden_layers
        shape = self.input_shape or infer_input_shape(layers, width, bool(self.augment))
        if self.layers is None and len(shape) > 1:
            layers = (Flatten(), *layers)  # a perceptron takes images as rows
        if math.prod(shape) != width:
            text = "x".join(map(str, shape))
            raise ValueError(f"input_shape: {text} makes {math.prod(shape)} values, found {width} a row")
        model = build_network(layers, shape, classes, self.loss, SharedScale(scale), self.initializer)
        if self.augment and len(shape) != 3:
            raise WrongKindError(f"augment: needs images (h, w, c), got a row of {width}; say input_shape")
        return model

    def split(self, labels: np.ndarray, classes: int) -> Split:
        """Return the validation split and the class weights of training rows with these labels (n,).

        Raises ValueError where that leaves nothing to learn from, or names a class that is not there, and for labels
        that the loss cannot learn.
        """
        self.loss.check_labels(labels)
        rows = len(labels)
        hold_out = HoldOut(self.seed, self.validation_fraction, rows) if self.validation_fraction else None
        if self.class_weights is None:
            return Split(rows, hold_out)
        if hold_out is not None:
            # Balanced by the rows that are learned from: others may not say how to learn.
            labels = labels[~hold_out.mask(np.arange(rows))]
        return Split(rows, hold_out, self.class_weights.table(np.bincount(labels, minlength=classes)))

    def plan(self, rows: int) -> Plan:
        """Return the plan for a number of training rows."""
        return Plan(
            rows,
            self.epochs,
            self.fraction,
            self.step_rows,
            self.seed,
            validates=self.validation_fraction > 0,
            keeps_best=self.patience is not None,
            noisy=self.noisy,
            rounds=min(self.rounds_per_epoch or 1, max(rows, 1)) if self.averages_parameters else None,
        )

    def optimizer_for(self, plan: Plan) -> Optimizer:
        """Return the optimizer with its schedule."""
        if self.optimizer.needs_exact_cost:
            return cast(Optimizer, self.optimizer)
        said = self.resolved()
        assert said.learning_rate is not None and said.schedule is not None
        shared = (
            cast(Rule, self.optimizer),
            said.schedule,
            said.learning_rate,
            self.epochs,
            plan.jobs,
            self.warmup,
            self.clip,
        )
        if not self.averages_parameters:
            return FirstOrder(*shared)
        assert said.batch_size is not None and said.outer_learning_rate is not None
        assert said.outer_momentum is not None
        return ParameterAveraging(*shared, said.batch_size, said.outer_learning_rate, said.outer_momentum)

    def penalty(self) -> Penalty:
        """Return the l1 and l2 penalty."""
        return Penalty(self.l1, self.l2)


def _read(field: dataclasses.Field, value: Any) -> Any:
    """Read the value of an option: JSON, a tuple, a NumPy number, or the object itself."""
    if value is None or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return field.default if value is None else value
    if isinstance(value, tuple):
        if value and all(map(dataclasses.is_dataclass, value)):
            return value
        value = list(value)
    if isinstance(value, np.generic):
        value = value.item()
    return field.metadata["reader"].json(value)


def _refuse_unread(name: str, reader: Any, value: Any, default: Any) -> None:
    """Raise ValueError unless the value is one that the option's reader gives."""
    if value == default:
        return
    try:
        read = reader.json(reader.plain(value))
    except (AttributeError, TypeError, ValueError) as error:
        found = error if isinstance(error, ValueError) else f"found {value!r}"
        raise ValueError(f"{name}: {found}") from None
    if read != value:
        raise ValueError(f"{name}: expected {read!r}, found {value!r}")

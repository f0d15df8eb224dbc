"""The pages of the words that options take: layers, losses, optimizers, schedules, augmentations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from nn.cli.config_file import FIELDS
from nn.core import spec
from nn.core.constraints import constraints_of
from nn.core.options import Spec
from nn.data.augmentation import AUGMENTATIONS
from nn.layers import ACTIVATIONS, LAYERS
from nn.layers.initializers import INITIALIZERS
from nn.models.losses import LOSSES
from nn.models.regression_losses import REGRESSION_LOSSES
from nn.optim.schedules import SCHEDULES
from nn.training.recipe import OPTIMIZERS
from tools.docs import formulas
from tools.docs.markdown import block, cell, code, first_line, page, paragraphs, source_of, table
from tools.docs.options import WORDS
from tools.docs.pictures import activation_pictures, schedule_pictures

MATHEMATICS = "../mathematics.md"
EXAMPLES = {  # a word of each page, and the same as JSON
    "Layers": ("dense:64", '{"name": "dense", "units": 64}'),
    "Losses": ("huber:0.5", '{"name": "huber", "delta": 0.5}'),
    "Optimizers": ("adamw:0.1", '{"name": "adamw", "weight_decay": 0.1}'),
    "Schedules": ("step:10", '{"name": "step", "every": 10}'),
    "Augmentation": ("rotate:10", '{"name": "rotate", "degrees": 10}'),
}


def pages() -> dict[str, str]:
    """Return the pages and their pictures, by their names in docs/reference/."""
    return {
        "layers.md": _layers(),
        "losses.md": _losses(),
        "optimizers.md": _optimizers(),
        "schedules.md": _schedules(),
        "augmentation.md": _augmentation(),
        **activation_pictures(),
        **schedule_pictures(),
    }


def _layers() -> str:
    layers = {name: cls for name, cls in LAYERS.items() if name not in ACTIVATIONS}
    activations = {name: LAYERS[name] for name in ACTIVATIONS}
    drawn = [[code(name), cell(first_line(draw)), source_of(draw)] for name, draw in INITIALIZERS.items()]
    return page(
        "Layers",
        "Words of `--layers`, in the order of the network, without the output layer, which follows from the loss and "
        'the classes: `--layers "conv2d:16x5,relu,maxpool2d:2,flatten,dense:128,relu,dropout:0.5"`. '
        f"{_how_to_write('Layers')} Gradients: [mathematics.md]({MATHEMATICS}#layers).",
        _overview(LAYERS),
        *_sections(layers, formulas.LAYERS),
        "## Activations",
        "They take and give rows of numbers and images alike, number by number. `--activation` takes the same words "
        "for `--hidden`.",
        *_sections(activations, formulas.ACTIVATIONS, "###", "activation"),
        "## Initial weights",
        "`--initializer`, or a layer's field `initializer`. Biases start at 0. Which one is the default: "
        f"[mathematics.md]({MATHEMATICS}#initial-weights).",
        table(("word", "draws", "source"), drawn),
    )


def _losses() -> str:
    return page(
        "Losses",
        "Words of `--loss`. A loss is a sum over the rows; the cost that is shown is the mean per row, with the "
        f"penalties of `--l1` and `--l2`. {_how_to_write('Losses')} Gradients: [mathematics.md]({MATHEMATICS}#losses).",
        "## Of a classification",
        _overview(LOSSES),
        *_sections(LOSSES, formulas.LOSSES, "###"),
        "## Of a regression",
        "With `--task regression`. The target is standardized inside the model by its mean and standard deviation.",
        _overview(REGRESSION_LOSSES, " (regression)"),
        *_sections(REGRESSION_LOSSES, formulas.REGRESSION_LOSSES, "###", suffix=" (regression)"),
    )


def _optimizers() -> str:
    rates = [
        [code(name), code(cls.default_learning_rate)]
        for name, cls in OPTIMIZERS.items()
        if hasattr(cls, "default_learning_rate")
    ]
    return page(
        "Optimizers",
        "Words of `--optimizer`. In the formulas $W$ is an array of parameters, $g$ the mean gradient, $r$ the "
        f"learning rate and $t$ the number of the step. {_how_to_write('Optimizers')} More: "
        f"[mathematics.md]({MATHEMATICS}#from-gradients-to-steps); which one to take: "
        "[guide.md](../guide.md#which-optimizer).",
        _overview(OPTIMIZERS),
        *_sections(OPTIMIZERS, formulas.OPTIMIZERS),
        "## Default learning rates",
        "Where `--learning-rate` is not given. `l-bfgs` searches its steps and has none.",
        table(("optimizer", "learning rate"), rates),
        *_other_kinds(),
    )


def _other_kinds() -> list[str]:
    """Return a section for each option whose words have no page of their own."""
    parts = []
    for name, field in FIELDS.items():
        reader = field.metadata["reader"]
        if isinstance(reader, Spec) and reader.kind not in WORDS:
            parts += [
                f"## {reader.kind}",
                f"Words of `--{name.replace('_', '-')}`.",
                _overview(reader.registry),
            ]
            parts += _sections(reader.registry, {}, "###")
    return parts


def _schedules() -> str:
    return page(
        "Schedules",
        "Words of `--schedule`: how the learning rate changes. The rate is the learning rate times a factor of $t$, "
        "the epochs since the start (with mini-batches $t$ grows with each batch), of $T$ in all. `--warmup` lets the "
        f"rate rise before. {_how_to_write('Schedules')} More: [mathematics.md]({MATHEMATICS}#learning-rates); "
        "which one to take: [guide.md](../guide.md#which-schedule). Each picture shows the rate, divided by "
        "`--learning-rate`, in a run of 100 epochs.",
        _overview(SCHEDULES),
        *_sections(SCHEDULES, formulas.SCHEDULES, picture="schedule"),
    )


def _augmentation() -> str:
    return page(
        "Augmentation",
        "Words of `--augment`: training images are changed at random, anew in each epoch; validation and test images "
        "are "
        'not. `--augment "shift:2,rotate:10,scale:0.1"` applies several in this order, with one interpolation for all. '
        f"{_how_to_write('Augmentation')} More: [mathematics.md]({MATHEMATICS}#augmentation).",
        _overview(AUGMENTATIONS),
        *_sections(AUGMENTATIONS, {}),
    )


def _how_to_write(title: str) -> str:
    """Return how words are written; the example is one of the page of this title."""
    word, as_json = EXAMPLES[title]
    return (
        "A word is `name[:value][:field=value]...`: the first value gives the fields in capitals, all others are given "
        f"by name. In a recipe `{word}` may be a JSON object too: `{as_json}`. Titles of the sources: "
        "[papers.md](../papers.md)."
    )


def _overview(registry: Mapping[str, Any], suffix: str = "") -> str:
    rows = [
        [f"[`{name}`](#{(name + suffix).translate(ANCHOR)})", cell(first_line(cls)), source_of(cls)]
        for name, cls in registry.items()
    ]
    return table(("word", "", "source"), rows)


ALT = {"activation": "The activation {} between -4 and 4", "schedule": "The schedule {} over 100 epochs"}
ANCHOR = str.maketrans(" ", "-", "()")


def _sections(
    registry: Mapping[str, Any],
    latex: Mapping[str, str],
    level: str = "##",
    picture: str = "",
    suffix: str = "",
) -> list[str]:
    """Return a section for each word: how it is written, its formula, its docstring, its fields, its picture."""
    parts = []
    for name, cls in registry.items():
        formula = f"$$\n{latex[name]}\n$$" if name in latex else ""
        image = (
            f"![{ALT[picture].format(name)}](pictures/{picture}_{name.replace('-', '_')}.svg)"
            if picture
            else ""
        )
        parts += [
            f"{level} {name}{suffix}",
            block(spec.signature(cls)),
            formula,
            paragraphs(cls),
            _fields(cls),
            image,
        ]
    return parts


def _fields(cls: Any) -> str:
    """Return the table of the fields of a word."""
    rows = []
    for field in dataclasses.fields(cls):
        default = "" if field.default is dataclasses.MISSING else code(_shown(field.default))
        rows.append([code(field.name), cell(_values(cls, field)), default])
    return table(("field", "values", "default"), rows) if rows else ""


def _values(cls: Any, field: dataclasses.Field) -> str:
    constraint = constraints_of(cls).get(field.name)
    if constraint is not None:
        return str(constraint)
    if field.name == "layers":
        return "layers, separated by commas"
    return "a whole number of at least 1, or two as 5x3"  # kernels, windows and strides


def _shown(default: Any) -> str:
    if default is None:
        return "none"
    return "x".join(map(str, default)) if isinstance(default, tuple) else str(default)

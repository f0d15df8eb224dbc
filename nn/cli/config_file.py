"""Read options from a configuration file; drop those that options of the command line replace."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from nn.cli.arguments import option_word
from nn.cli.options import Options
from nn.core.errors import UsageError
from nn.core.options import options_of
from nn.training.assembly import resolved
from nn.training.recipe import Recipe
from nn.training.recipe_files import recipe_object
from nn.training.run_options import DATA_PATHS

FIELDS = {**options_of(Recipe), **options_of(Options)}


def read_option(label: str, name: str, value: Any, as_json: bool = False) -> Any:
    """Return the value of the option `name` from a word of the command line, or from JSON.

    Raises UsageError, which begins with `label`, for a value that the option does not take.
    """
    return read_field(label, FIELDS[name], value, as_json)


def read_field(label: str, field: dataclasses.Field, value: Any, as_json: bool = False) -> Any:
    """Return the value of an option's field, as `read_option` does."""
    reader = field.metadata["reader"]
    if (value is None if as_json else value == "none") and field.default in (None, ()):
        return field.default
    try:
        return reader.json(value) if as_json else reader.text(value)
    except ValueError as error:
        raise UsageError(f"{label}: {error}") from None


def from_file(path: str) -> dict[str, Any]:
    """Return the options in a JSON file or in a recipe, each checked. Raises UsageError that names the file."""
    values: dict[str, Any] = {}
    try:
        content = recipe_object(path)
    except ValueError as error:
        raise UsageError(f"--config: {error}") from None
    for key, value in content.items():
        name = key.replace("-", "_")
        if name not in FIELDS:
            raise UsageError(f"--config: {path}: unknown key {key[:80]!a}; known: {', '.join(FIELDS)}")
        if name in values:
            raise UsageError(f"--config: {path}: {name} is given twice")
        values[name] = read_option(f"--config: {path}: {name}", name, value, as_json=True)
    return values


OF_REPLICAS = ("rounds_per_epoch", "epochs_per_round", "outer_learning_rate", "outer_momentum")
REPLACES = {  # an option of the command line: those of the file that it replaces
    "sample": ("batch_size", "average", *OF_REPLICAS),
    "batch_size": ("sample",),
    "rounds_per_epoch": ("epochs_per_round",),
    "epochs_per_round": ("rounds_per_epoch",),
    "layers": ("hidden", "activation"),
    "hidden": ("layers",),
    "activation": ("layers",),
    "optimizer": ("learning_rate", "schedule", "warmup"),  # each has its own
}
# Options that l-bfgs does not support.
FIRST_ORDER = ("sample", "batch_size", "clip", "l1", "average", *OF_REPLICAS, "average_weights")


class FileValues(NamedTuple):
    """The values of a file, divided by the options of a command line."""

    applied: dict[str, Any]  # unless the command line gives an option of the same name
    replaced: dict[str, dict[str, Any]]  # by the option of the command line that replaces them


def divide(values: dict[str, Any], flags: dict[str, Any]) -> FileValues:
    """Divide the values of a file into those that apply and those that an option of the command line replaces."""
    replaced: dict[str, dict[str, Any]] = {}
    applied = dict(values)
    for flag, value in flags.items():
        replaced[flag] = {name: applied.pop(name) for name in _replaced_by(flag, value) if name in applied}
    if flags.keys() & set(DATA_PATHS):
        applied.pop("get_data", None)  # it makes the file's data, not these
    return FileValues(applied, replaced)


def notes(
    replaced: Mapping[str, Mapping[str, Any]], words: Mapping[str, str], path: str, recipe: Recipe
) -> tuple[str, ...]:
    """Return a line for each flag that replaced values of the file at `path`; `words` are the flags as typed.

    A value that the recipe has all the same, by its defaults or another flag, is not named.
    """
    defaults = resolved(recipe)
    lines = []
    for flag, values in replaced.items():
        lost = {
            name: value
            for name, value in values.items()
            if name not in words and value not in (FIELDS[name].default, getattr(defaults, name))
        }
        if lost:
            lines.append(_note(f"--{option_word(flag)} {words[flag]}", lost, path))
    return tuple(lines)


def _replaced_by(flag: str, value: Any) -> tuple[str, ...]:
    """Return the names of the file's options that a flag with this value replaces."""
    if value is None:
        return ()
    replaced = REPLACES.get(flag, ())
    if flag == "optimizer" and value.needs_exact_cost:
        replaced += FIRST_ORDER
    if flag == "average":
        replaced = ("sample",) if value == "parameters" else OF_REPLICAS
    if flag == "validation_fraction" and value == 0:
        replaced = ("patience",)
    return replaced


def _note(flag: str, lost: Mapping[str, Any], path: str) -> str:
    """Return the sentence that names the values of the file that do not apply because of a flag."""
    shown = [f"{option_word(name)} {_as_word(name, value)}" for name, value in lost.items()]
    listed = " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
    return f"{flag}: {listed} of {path} {'do' if len(shown) > 1 else 'does'} not apply"


def _as_word(name: str, value: Any) -> str:
    """Return a value as the command line spells it."""
    reader = FIELDS[name].metadata["reader"]
    plain = reader.plain(value)
    if isinstance(plain, list):
        return reader.separator.join(map(str, plain))
    return str(plain).removesuffix(".0") if isinstance(plain, float) else str(plain)

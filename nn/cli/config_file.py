"""Options from a configuration file, less those that options of the command line make void."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from nn.cli.options import Options
from nn.core.errors import UsageError
from nn.core.options import Flag, json_object, options_of
from nn.optim.lbfgs import LBFGS
from nn.training.recipe import Recipe
from nn.training.run_options import DATA_PATHS

FIELDS = {**options_of(Recipe), **options_of(Options)}


def read_option(said: str, name: str, value: Any, as_json: bool = False) -> Any:
    """Return the value of one option from its word, or from JSON.

    Raises UsageError, which calls it `said`, for a word that it does not take.
    """
    field = FIELDS[name]
    reader = field.metadata["reader"]
    if isinstance(value, bool) and isinstance(reader, Flag):
        return value
    if (value is None if as_json else value == "none") and field.default in (None, ()):
        return field.default
    try:
        return reader.json(value) if as_json else reader.text(value)
    except ValueError as error:
        raise UsageError(f"{said}: {error}") from None


def option_word(name: str) -> str:
    """Return the name of an option as the command line spells it."""
    return name.replace("_", "-")


def from_file(path: str) -> dict[str, Any]:
    """Return the options that a JSON file gives, each checked; UsageError names the file and what is wrong."""
    values: dict[str, Any] = {}
    try:
        found = json_object(path)
    except ValueError as error:
        raise UsageError(f"--config: {error}") from None
    for key, value in found.items():
        name = key.replace("-", "_")
        if name not in FIELDS:
            raise UsageError(f"--config: {path}: unknown key {key[:80]!a}; known: {', '.join(FIELDS)}")
        if name in values:
            raise UsageError(f"--config: {path}: {name} is said twice")
        values[name] = read_option(f"--config: {path}: {name}", name, value, as_json=True)
    return values


OF_REPLICAS = ("rounds_per_epoch", "outer_learning_rate", "outer_momentum")
REPLACES = {  # an option given on the command line takes the place of these in the file
    "sample": ("batch_size", "average", *OF_REPLICAS),
    "batch_size": ("sample",),
    "layers": ("hidden", "activation"),
    "hidden": ("layers",),
    "activation": ("layers",),
    "optimizer": ("learning_rate", "schedule", "warmup"),  # each has its own
}
FIRST_ORDER = ("sample", "batch_size", "clip", "l1", "average", *OF_REPLICAS)  # that l-bfgs cannot do with


class Beside(NamedTuple):
    """What becomes of a file's values beside the options of a command line."""

    values: dict[str, Any]  # those that apply, unless an option of the same name is given
    void: dict[str, dict[str, Any]]  # those that do not, by the option that makes them void


def beside(values: dict[str, Any], flags: dict[str, Any]) -> Beside:
    """Part the values of a file into those that apply beside the flags and those that a flag makes void."""
    void: dict[str, dict[str, Any]] = {}
    left = dict(values)
    for flag, value in flags.items():
        void[flag] = {name: left.pop(name) for name in _replaced_by(flag, value) if name in left}
    if flags.keys() & set(DATA_PATHS):
        left.pop("get_data", None)  # it makes the file's data, not these
    return Beside(left, void)


def notes(
    void: Mapping[str, Mapping[str, Any]], words: Mapping[str, str], path: str, recipe: Recipe
) -> tuple[str, ...]:
    """Return a line for each flag that made values of the file at `path` void; `words` are the flags as given.

    A value is no loss that the flag's own default, or another flag, gives to the recipe too, or that is given anew.
    """
    defaults = recipe.resolved()
    found = []
    for flag, values in void.items():
        lost = {
            name: value
            for name, value in values.items()
            if name not in words and value not in (FIELDS[name].default, getattr(defaults, name))
        }
        if lost:
            found.append(_note(f"--{option_word(flag)} {words[flag]}", lost, path))
    return tuple(found)


def _replaced_by(flag: str, value: Any) -> tuple[str, ...]:
    """Return the options of the file that a flag of that value replaces."""
    if value is None:
        return ()
    replaced = REPLACES.get(flag, ())
    if flag == "optimizer" and isinstance(value, LBFGS):
        replaced += FIRST_ORDER
    if flag == "average":
        replaced = ("sample",) if value == "parameters" else OF_REPLICAS
    if flag == "validation_fraction" and value == 0:
        replaced = ("patience",)
    return replaced


def _note(flag: str, lost: Mapping[str, Any], path: str) -> str:
    """Return the sentence that says which values of the file do not apply beside a flag."""
    shown = [f"{option_word(name)} {_as_word(name, value)}" for name, value in lost.items()]
    listed = " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
    return f"{flag}: {listed} of {path} {'do' if len(shown) > 1 else 'does'} not apply"


def _as_word(name: str, value: Any) -> str:
    """Return the word of the command line for a value."""
    reader = FIELDS[name].metadata["reader"]
    plain = reader.plain(value)
    if isinstance(plain, list):
        return reader.separator.join(map(str, plain))
    return str(plain).removesuffix(".0") if isinstance(plain, float) else str(plain)

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
from nn.training.replacements import replaced_by
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


class FileValues(NamedTuple):
    """The values of a file, divided by the options of a command line."""

    applied: dict[str, Any]  # unless the command line gives an option of the same name
    replaced: dict[str, dict[str, Any]]  # by the option of the command line that replaces them


def divide(values: dict[str, Any], flags: dict[str, Any]) -> FileValues:
    """Divide the values of a file into those that apply and those that an option of the command line replaces."""
    replaced: dict[str, dict[str, Any]] = {}
    applied = dict(values)
    for flag, value in flags.items():
        replaced[flag] = {name: applied.pop(name) for name in replaced_by(flag, value) if name in applied}
    if flags.keys() & set(DATA_PATHS):
        applied.pop("get_data", None)  # it makes the file's data, not these
    if flags.keys() & {"layers", "hidden", "activation"}:
        applied.pop("about", None)  # it describes the file's network, not this one
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

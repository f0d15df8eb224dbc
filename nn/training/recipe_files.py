"""Read a recipe: one of this project's by its name, also from the package in a zip file, or one in a file."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

from nn.core.options import json_object, json_object_of

# Inside an installed package or nn.zip, and beside the package in a checkout.
FOLDERS = (resources.files("nn").joinpath("recipes"), Path(__file__).resolve().parents[2] / "recipes")


def recipe_object(recipe: str | os.PathLike) -> dict[str, Any]:
    """Return the JSON object of the recipe with this name, such as "tabular", or in the file with this path.

    A text without a folder and without .json is the path of a file if there is one, else a name. Raises ValueError for
    a word that is neither, and for a file that is not a recipe.
    """
    if not isinstance(recipe, (str, os.PathLike)):
        raise ValueError(f"expected a recipe, its name or the path of one, got {type(recipe).__name__}")
    is_word = isinstance(recipe, str) and os.path.sep not in recipe and not recipe.endswith(".json")
    if is_word and not os.path.isfile(recipe):
        return json_object_of(_content(str(recipe)), f"the recipe {recipe}")
    return json_object(os.fspath(recipe))


def names() -> list[str]:
    """Return the names of this project's recipes, sorted."""
    folder = _folder()
    paths = [] if folder is None else folder.iterdir()
    return sorted(path.name.removesuffix(".json") for path in paths if path.name.endswith(".json"))


def _content(name: str) -> bytes:
    known = names()
    if not known:
        raise ValueError("expected the path of a recipe: this copy of the package has none of its own")
    if name not in known:
        listed = ", ".join(known)
        raise ValueError(
            f"expected the name of a recipe ({listed}) or the path of a .json file, found {name[:80]!r}"
        )
    return (_folder() / f"{name}.json").read_bytes()


def _folder() -> Any:
    return next((folder for folder in FOLDERS if folder.is_dir()), None)

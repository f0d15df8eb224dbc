"""Read a recipe: one of this project's by its name, also from the package in a zip file, or one in a file."""

from __future__ import annotations

import os
import pkgutil
from pathlib import Path
from typing import Any

from nn.core.options import json_object, json_object_of

CHECKOUT = Path(__file__).resolve().parents[2] / "recipes"


def recipe_object(recipe: str) -> dict[str, Any]:
    """Return the JSON object of the recipe with this name, such as "tabular", or in the file with this path.

    Raises ValueError for a word that is neither the name of a recipe nor a file, and for a file that is not a recipe.
    """
    if os.path.sep not in recipe and not recipe.endswith(".json"):
        content = _content(recipe)
        if content is not None:
            return json_object_of(content, f"the recipe {recipe}")
        if not os.path.exists(recipe):
            raise ValueError(f"expected the name of a recipe or the path of a .json file, found {recipe!r}")
    return json_object(recipe)


def _content(name: str) -> bytes | None:
    """Return the content of the recipe of this name: inside the package, or beside it in a checkout."""
    try:
        return pkgutil.get_data("nn", f"recipes/{name}.json")
    except (OSError, ValueError):
        path = CHECKOUT / f"{name}.json"
        return path.read_bytes() if path.is_file() else None

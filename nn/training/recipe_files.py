"""Find the recipes of this project: in the folder recipes of a checkout, or in the installed package."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def recipe_path(name: str) -> str:
    """Return the path of the recipe with this name, such as "tabular"; or the argument, where it is a path.

    Raises ValueError for a word that is neither the name of a recipe nor a file.
    """
    if os.path.sep in name or name.endswith(".json"):
        return name
    for folder in (PACKAGE / "recipes", PACKAGE.parent / "recipes"):
        if (folder / f"{name}.json").is_file():
            return str(folder / f"{name}.json")
    if os.path.exists(name):
        return name
    raise ValueError(f"expected the name of a recipe or the path of a .json file, found {name!r}")

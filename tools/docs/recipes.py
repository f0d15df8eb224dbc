"""The page of the keys of a recipe, from the declarations of the options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nn.cli.arguments import option_word
from nn.cli.config_file import FIELDS
from nn.core.options import Flag, IntegerList, Number, Spec, Words, options_of
from nn.data.class_weights import ClassWeightsReader
from nn.data.columns import ColumnList, ColumnReference
from nn.training.recipe import Recipe
from nn.training.run_options import PATHS, RunOptions
from tools.docs.markdown import block, cell, code, page, table
from tools.docs.options import default_of, values_of

FOLDER = Path(__file__).parents[2] / "recipes"
EXAMPLE = (
    '{"layers": ["dense:64", {"name": "relu"}, "dropout:0.5"], "optimizer": "adamw:0.01", "sample": null}'
)


def page_of_recipes() -> str:
    """Return the page."""
    training, run = options_of(Recipe), options_of(RunOptions)
    return page(
        "Recipes: the keys of a configuration file",
        "A recipe is a JSON object whose keys are options. `--config` takes the path of one, or the name of one of "
        "this project's, such as `cnn`; so do `nn.Recipe.read`, `nn.fit(x, y, recipe)` and the Param `recipe` of "
        "[pyspark.ml's stages](python.md#nnml), which pass over the keys of a run. `OUTPUT/config.json` is such a "
        "file. A file is at most 1 MB; an unknown key, a key that is "
        "there twice and a value that the option cannot take are refused, by name.",
        "`_` and `-` are the same in a key. A number is a JSON number or a text, a flag is `true` or `false`, a list "
        "is a JSON list or the text of the command line, a word is a text or an object with `name` and fields; `null` "
        "is the default of an option that has none:",
        block(EXAMPLE, "json"),
        "## Network and training",
        table(
            ("key", "JSON", "values", "default", "option"),
            (_row(name, field) for name, field in training.items()),
        ),
        "## Data and run",
        table(
            ("key", "JSON", "values", "default", "option"), (_row(name, field) for name, field in run.items())
        ),
        "## The recipes that come with the project",
        "In `recipes/`, and in the installed package as `nn/recipes/`. Which one suits what: "
        "[guide.md](../guide.md); what they reach: [benchmarks.md](../benchmarks.md#recipes).",
        table(("file", "", "keys"), map(_recipe, sorted(FOLDER.glob("*.json")))),
    )


def _row(name: str, field: Any) -> list[str]:
    reader = field.metadata["reader"]
    if name in PATHS:
        option = code(name.upper())
    elif field.metadata["group"]:
        option = code(f"--{option_word(name)}")
    else:
        option = cell(field.metadata["help"])
    return [code(name), _json_type(reader), values_of(reader), default_of(field), option]


def _json_type(reader: Any) -> str:
    if isinstance(reader, Flag):
        return "true, false"
    if isinstance(reader, Number):
        return "number"
    if isinstance(reader, ColumnReference):
        return "text, number"
    if isinstance(reader, ClassWeightsReader):
        return "text, object, list"
    if isinstance(reader, Spec):
        return "text, list" if reader.metavar == "LIST" else "text, object"
    return "list, text" if isinstance(reader, (Words, IntegerList, ColumnList)) else "text"


def _recipe(path: Path) -> list[str]:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content.keys() <= FIELDS.keys()
    names = (name for name in content if name not in (*PATHS, "about", "get_data"))
    return [code(path.name), cell(content["about"]), ", ".join(map(code, names))]

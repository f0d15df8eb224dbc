"""The page of the Python API, from signatures and docstrings."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pyspark.ml.param import Param

import nn
import nn.ml
import nn.spark
from nn.ml.params import OPTIONS
from tools.docs.markdown import block, cell, code, page, paragraphs, table

CHECKS = {
    "nn.layers": "check_layer",
    "nn.models": "check_loss",
    "nn.optim": "check_rule",
    "nn.training": "check_backend",
}


RESULTS = (
    ("nn.training.local", "Fit"),
    ("nn.training.records", "Epoch"),
    ("nn.core.errors", "DivergenceError"),
    ("nn.core.errors", "DataError"),
    ("nn.core.errors", "UsageError"),
)

EXAMPLE = """\
import nn
import pandas  # pip install pandas

customers = pandas.read_csv("data/customers.csv")  # written by: python generate_data.py --dataset customers
customers = customers.drop(columns=["id", "since", "spent"])
model, history = nn.fit(customers, "bought", "tabular")
min(history, key=lambda epoch: epoch.val_cost)  # the epoch whose weights the model has: tabular stops early
model.save("customers.npz")

model = nn.load("customers.npz")
model.predict(customers.head(3))  # labels, as in the column: "yes" or "no"
model.predict_proba(customers.head(3))  # (3, 2), a column for each of model.class_names"""


def page_of_names() -> str:
    """Return the page."""
    stages = [name for name in nn.ml.__all__ if inspect.isclass(getattr(nn.ml, name))]
    functions = [name for name in nn.ml.__all__ if name not in stages]
    return page(
        "Python API",
        "The public names. All others may change with a version. Letters of shapes: n rows, d features, k classes, "
        "images (n, h, w, c).",
        "## nn",
        "`import nn` needs NumPy alone. Train on a table in memory, save the model, load it and predict:",
        block(EXAMPLE, "python"),
        *(_entry("nn", name) for name in nn.__all__ if name != "__version__"),
        "### What `nn.fit` returns, and the errors",
        "A network that has learned nothing gives a warning; wrong arguments raise ValueError.",
        *(_result(module, name) for module, name in RESULTS),
        "## nn.spark",
        "Needs pyspark. More: [scoring.md](../scoring.md#in-sql-dataframes-and-streams).",
        *(_entry("nn.spark", name) for name in nn.spark.__all__),
        "## nn.ml",
        "Stages of pyspark.ml. More: [pyspark_ml.md](../pyspark_ml.md).",
        *(_entry("nn.ml", name) for name in (*stages, *functions)),
        "### Summaries",
        "`model.summary` is of the training, `model.evaluate(df)` of other rows.",
        *(_result("nn.ml.summary", name) for name in ("ClassificationSummary", "RegressionSummary")),
        "### Params",
        "Of `NeuralNetworkClassifier`; `NeuralNetworkRegressor` has those that are not marked. Each has `getNAME` and "
        "`setNAME`. A Param with an option takes its words and values ([options.md](options.md)).",
        _params(),
        "## Data for examples",
        _entry("nn.datasets", "draw_digits"),
        "## Layers of your own",
        "A class with a word in `nn.layers.LAYERS`, a dict, is a layer for `layers=...`: "
        "[an example](../tutorial/7-beyond-mnist.md#an-activation-of-your-own).",
        _entry("nn.layers", "Layer"),
        "## Checks for classes of your own",
        "How to use them: [CONTRIBUTING.md](../../CONTRIBUTING.md#checks-for-classes-of-your-own).",
        *(_entry(module, name) for module, name in CHECKS.items()),
    )


def _entry(module: str, name: str) -> str:
    """Return the section of a class or a function."""
    item = getattr(import_module(module), name)
    parts = [f"### {module}.{name}", block(_signature(f"{module}.{name}", item), "python"), paragraphs(item)]
    if inspect.isclass(item):
        parts += _members(item)
    return "\n\n".join(parts)


def _result(module: str, name: str) -> str:
    """Return the section of a class whose objects users get and do not make."""
    cls = getattr(import_module(module), name)
    made_here = not issubclass(cls, (tuple, Exception))
    return "\n\n".join([f"### {module}.{name}", paragraphs(cls), *(_members(cls) if made_here else ())])


def _signature(name: str, item: Any) -> str:
    """Return how a class or a function is called, an argument per line where they do not fit into one."""
    if name == "nn.Recipe":
        return f"{name}.of(**options)"
    if inspect.isclass(item) and module_of(item) == "nn.ml":
        return f"{name}(**params)" if "Model" not in name else name
    arguments, result = _arguments(item)
    line = f"{name}({', '.join(arguments)}){result}"
    if len(line) <= 110:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in arguments), f"){result}"])


def _arguments(item: Any) -> tuple[list[str], str]:
    """Return the arguments as the source spells them, without self, and what is returned."""
    signature = inspect.signature(item)
    arguments, has_star = [], False
    for parameter in signature.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not has_star:
            arguments.append("*")
        has_star = has_star or parameter.kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY)
        arguments.append(_argument(parameter))
    result = "" if inspect.isclass(item) else _annotation(signature.return_annotation)
    return arguments, f" -> {result}" if result else ""


def _argument(parameter: inspect.Parameter) -> str:
    stars = "*" * (parameter.kind is parameter.VAR_POSITIONAL) + "**" * (
        parameter.kind is parameter.VAR_KEYWORD
    )
    hint = _annotation(parameter.annotation)
    text = f"{stars}{parameter.name}" + (f": {hint}" if hint else "")
    if parameter.default is parameter.empty:
        return text
    default = repr(parameter.default)
    default = "..." if default.startswith("<") else default  # a factory, or an address
    return f"{text} = {default}" if hint else f"{text}={default}"


def _annotation(hint: Any) -> str:
    if hint is inspect.Parameter.empty or hint is None:
        return ""
    return hint if isinstance(hint, str) else getattr(hint, "__name__", str(hint))


def _members(cls: type) -> Iterator[str]:
    """Yield the tables of the properties and of the methods that this project gives a class, inherited ones too."""
    own = [base for base in reversed(cls.__mro__) if base.__module__.startswith("nn.")]
    members = {name: value for base in own for name, value in vars(base).items() if not name.startswith("_")}
    accessor = re.compile(r"(get|set)[A-Z]")
    rows = []
    for name in members:
        value = inspect.getattr_static(cls, name)
        doc = (
            inspect.getdoc(value.__func__ if isinstance(value, (classmethod, staticmethod)) else value) or ""
        )
        if isinstance(value, property):
            rows.append([code(name), cell(doc)])
        elif (inspect.isfunction(value) or isinstance(value, classmethod)) and not _is_accessor(
            accessor, name, doc
        ):
            arguments, result = _arguments(getattr(cls, name))
            if name == "setParams":
                arguments = ["**params"]
            rows.append([code(f"{name}({', '.join(arguments)}){result}"), cell(doc)])
        elif type(value).__name__ == "cached_property":
            rows.append([code(name), cell(doc)])
    if rows:
        yield table(("member", ""), rows)
    if cls is nn.Recipe:
        yield "Its options and their defaults: [recipes.md](recipes.md#network-and-training)."
    elif dataclasses.is_dataclass(cls):
        names = [code(field.name) for field in dataclasses.fields(cls) if not field.name.startswith("_")]
        if names:
            yield f"Fields: {', '.join(names)}."


def _is_accessor(pattern: re.Pattern[str], name: str, doc: str) -> bool:
    """Return whether a method reads or sets one Param."""
    return bool(pattern.match(name)) and doc.startswith(("Return the value of `", "Set `"))


def module_of(cls: type) -> str:
    """Return the package of a class: "nn" or "nn.ml"."""
    return ".".join(cls.__module__.split(".")[:2])


def _params() -> str:
    classifier, regressor = nn.ml.NeuralNetworkClassifier(), nn.ml.NeuralNetworkRegressor()
    rows = []
    for param in sorted(classifier.params, key=lambda param: param.name):
        default = classifier.getOrDefault(param) if classifier.hasDefault(param) else None
        shown = "" if default is None else code(repr(default))
        option = OPTIONS.get(param.name)
        word = code(f"--{option.replace('_', '-')}") if option else ""
        rows.append([_name(param, regressor), shown, word, cell(param.doc)])
    return table(("Param", "default", "option", ""), rows)


def _name(param: Param, regressor: Any) -> str:
    return code(param.name) if regressor.hasParam(param.name) else f"{code(param.name)} (classifier)"

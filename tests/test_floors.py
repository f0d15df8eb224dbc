"""The house: a file imports its own floor or below, and the lower floors keep out what is not theirs."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NUMBERS, RECORDS, SPARK, DOOR = range(4)
FLOORS = {
    "nn": RECORDS,
    "nn.errors": NUMBERS,
    "nn.tree": NUMBERS,
    "nn.spelling": NUMBERS,
    "nn.augmentation": NUMBERS,
    "nn.lbfgs": NUMBERS,
    "nn.descent": NUMBERS,
    "nn.averaging": NUMBERS,
    "nn.network": NUMBERS,
    "nn.fields": NUMBERS,
    "nn.initializers": NUMBERS,
    "nn.layers": NUMBERS,
    "nn.likeness": NUMBERS,
    "nn.localfile": NUMBERS,
    "nn.archive": RECORDS,
    "nn.arithmetic": NUMBERS,
    "nn.checkpoint": RECORDS,
    "nn.losses": NUMBERS,
    "nn.optimizers": NUMBERS,
    "nn.schedules": NUMBERS,
    "nn.signals": NUMBERS,
    "nn.sampling": NUMBERS,
    "nn.metrics": NUMBERS,
    "nn.model": NUMBERS,
    "nn.classifier": RECORDS,
    "nn.inputs": NUMBERS,
    "nn.records": RECORDS,
    "nn.chain": RECORDS,
    "nn.blocks": RECORDS,
    "nn.replicas": RECORDS,
    "nn.phases": RECORDS,
    "nn.local": RECORDS,
    "nn.training": RECORDS,
    "nn.evaluation": RECORDS,
    "nn.text": RECORDS,
    "nn.layout": NUMBERS,
    "nn.hints": NUMBERS,
    "nn.firstlines": RECORDS,
    "nn.datachecks": NUMBERS,
    "nn.diagnosis": RECORDS,
    "nn.cells": RECORDS,
    "nn.results": RECORDS,
    "nn.validation": RECORDS,
    "nn.weighting": RECORDS,
    "nn.penalty": RECORDS,
    "nn.split": RECORDS,
    "nn.mixing": RECORDS,
    "nn.recipe": RECORDS,
    "nn.rehearsal": RECORDS,
    "nn.commandline": DOOR,
    "nn.configfile": DOOR,
    "nn.helptext": DOOR,
    "nn.modelfile": RECORDS,
    "nn.package": RECORDS,
    "nn.spark": SPARK,
    "nn.options": DOOR,
    "nn.console": DOOR,
    "nn.report": DOOR,
    "nn.ownership": DOOR,
    "nn.resumption": DOOR,
    "nn.preview": DOOR,
    "nn.preflight": DOOR,
    "nn.door": DOOR,
    "nn.printable": DOOR,
    "main_task": DOOR,
    "startup": DOOR,
    "generate_data": DOOR,
    "generate_plots": DOOR,
    "datasets": DOOR,
    "plotting": DOOR,
}
FILES = sorted((ROOT / "nn").rglob("*.py")) + sorted(ROOT.glob("*.py"))
# The standard library is open to all but for these, which belong to the door.
KEPT_FOR_THE_DOOR = {"argparse", "matplotlib"}
NUMPY_ONLY = {"pyspark", "py4j", "matplotlib", "argparse"}


def module_of(path):
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def floor_of(module):
    while module:
        if module in FLOORS:
            return FLOORS[module]
        module = module.rpartition(".")[0]
    return None


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_floors_no_file_imports_upwards(path):
    own = floor_of(module_of(path))
    assert own is not None, f"{module_of(path)} has no floor: give it one in this test"
    for name in imports_of(path):
        theirs = floor_of(name)
        assert theirs is None or theirs <= own, (
            f"{module_of(path)} (floor {own}) imports {name} (floor {theirs})"
        )


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_floors_keep_their_packages(path):
    own = floor_of(module_of(path))
    packages = {name.partition(".")[0] for name in imports_of(path)}
    if own < SPARK:
        assert not packages & NUMPY_ONLY
    if own == SPARK:
        assert not packages & KEPT_FOR_THE_DOOR


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_floors_print_only_at_the_door(path):
    if floor_of(module_of(path)) == DOOR or module_of(path) == "nn.package":
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if getattr(call.func, "id", None) == "print"]


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_floors_files_open_with_a_sentence(path):
    first_line = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
    assert len(first_line) > 30

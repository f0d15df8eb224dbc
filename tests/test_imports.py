"""The import rule: a file imports its own folder or one on a lower line, and each package has its folders."""

import ast
import re

import pytest

from tests.support import ROOT

# From the bottom to the top; two folders on one line do not know each other. datasets and plotting import core alone.
LINES = (
    {"core"},
    {"layers", "data", "datasets", "plotting"},
    {"models", "optim"},
    {"training"},
    {"io"},
    {"spark"},
    {"cli", "ml"},
)
SPARK = (
    {"runtime"},
    {"block_files"},
    {"storage", "aggregate"},
    {"input", "backend"},
    {"connect"},
    {"models"},
    {"preflight", "scoring", "user_functions"},
    {"frames"},
    {"__init__"},
)
PACKAGES = {
    "pyspark": {"spark", "ml"},
    "py4j": {"spark", "ml"},
    "matplotlib": {"plotting", "datasets"},  # whose digits are drawn in its fonts
    "argparse": {"cli", "core", "datasets", "plotting"},
}
JVM = "nn/spark/runtime/jvm.py"  # the one file that uses PySpark's private attributes
PRIVATE = re.compile(r"_j[a-z]*|_gateway\w*|_ensure_initialized|_temp_dir")
PRINT = {"cli", "datasets", "plotting", "format", "package"}
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "nn").rglob("*.py"))
PROGRAMS = sorted(path.relative_to(ROOT) for path in ROOT.glob("*.py"))


def place_of(parts):
    """(line, line within spark, folder) of a module's name, split at its dots."""
    inner = parts[2] if parts[1] == "spark" and len(parts) > 2 else ""
    within = next((number for number, line in enumerate(SPARK) if inner in line), -1)
    (number,) = (number for number, line in enumerate(LINES) if parts[1] in line)
    return number, within, (parts[1], inner)


def imports_of(path):
    """The names of all that a file imports, each split at its dots."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}".split(".") for alias in node.names)


def test_nn_holds_folders_and_nothing_else():
    assert [path.name for path in FILES if len(path.parts) == 2] == ["__init__.py"]
    assert {path.parts[1] for path in FILES if len(path.parts) > 2} <= set().union(*LINES)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_imports_its_own_folder_or_a_lower_line(path):
    parts = path.with_suffix("").parts
    if len(parts) == 2:
        return
    *own, folder = place_of(parts)
    for name in imports_of(path):
        if name[0] != "nn" or len(name) < 3 or name[1].startswith("__"):
            continue
        *theirs, other = place_of(name)
        assert other == folder or theirs < own, f"{path} imports {'.'.join(name)}"
        if folder[0] in ("datasets", "plotting") and other != folder:
            assert other[0] == "core", f"{path} imports {'.'.join(name)}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_package_is_imported_in_its_own_folders_alone(path):
    for name in imports_of(path):
        assert path.parts[1] in PACKAGES.get(name[0], path.parts[1]), f"{path} imports {name[0]}"


def test_the_package_onnx_is_imported_in_one_file():
    users = [str(path) for path in FILES if "onnx" in {name[0] for name in imports_of(path)}]
    assert users == ["nn/io/onnx.py"]


@pytest.mark.parametrize("path", [path for path in FILES + PROGRAMS if str(path) != JVM], ids=str)
def test_one_file_uses_the_private_attributes_of_pyspark(path):
    nodes = [
        node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Attribute)
    ]
    uses = [f"line {node.lineno}: {node.attr}" for node in nodes if PRIVATE.fullmatch(node.attr)]
    assert not uses, f"{path} uses PySpark's private attributes, which belong in {JVM}: {uses}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_only_the_folders_of_programs_print(path):
    calls = [node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Call)]
    prints = [call.lineno for call in calls if getattr(call.func, "id", None) == "print"]
    assert not prints or PRINT & {path.parts[1], path.stem}, f"{path}, line {prints[0]}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_opens_with_a_sentence(path):
    first_line = (ast.get_docstring(ast.parse((ROOT / path).read_text())) or "").partition("\n")[0]
    assert len(first_line) > 30


def test_the_chain_fits_on_a_screen():
    assert len((ROOT / "nn" / "training" / "chain.py").read_text().splitlines()) <= 80


def test_a_run_is_assembled_in_one_place():
    calls = ("plan_of(", "split_of(recipe", "optimizer_of(", "Penalty(", "Objective(")
    texts = {path: (ROOT / path).read_text() for path in FILES}
    for call in calls:
        users = [str(path) for path, text in texts.items() if call in text.replace(f"def {call}", "")]
        allowed = {f"nn/training/{name}.py" for name in ("run", "backend", "contract")}
        assert set(users) <= allowed, (call, users)


NAMED = re.compile(r"(?<![\w/])(?:nn|tests|tools|benchmarks)/[\w/]+\.py")


def test_every_file_that_the_docs_name_is_there():
    for page in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]:
        for name in NAMED.findall(page.read_text()):
            assert (ROOT / name).exists(), f"{page.name} names {name}"

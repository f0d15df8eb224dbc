"""The import rule: a file imports its own folder or one on a lower line, and each package has its folders."""

import ast

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
SPARK = ({"runtime"}, {"storage", "aggregate"}, {"input", "backend"}, {"preflight", "scoring"})
PACKAGES = {
    "pyspark": {"spark", "ml"},
    "py4j": {"spark", "ml"},
    "matplotlib": {"plotting", "datasets"},  # whose digits are drawn in its fonts
    "argparse": {"cli", "datasets", "plotting"},
}
PRINT = {"cli", "datasets", "plotting", "format", "package"}
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "nn").rglob("*.py"))


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


@pytest.mark.parametrize("path", FILES, ids=str)
def test_only_the_folders_of_programs_print(path):
    calls = [node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Call)]
    prints = [call.lineno for call in calls if getattr(call.func, "id", None) == "print"]
    assert not prints or PRINT & {path.parts[1], path.stem}, f"{path}, line {prints[0]}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_opens_with_a_sentence(path):
    first_line = (ast.get_docstring(ast.parse((ROOT / path).read_text())) or "").partition("\n")[0]
    assert len(first_line) > 30

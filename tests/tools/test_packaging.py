"""What pyproject.toml says of the package agrees with the files that say it too."""

import re
from pathlib import Path

import pytest

import nn
from tests.support import ROOT

tomllib = pytest.importorskip("tomllib")  # from Python 3.11 on
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
OWN = {f"{PROJECT['name']}[{name}]": requirements for name, requirements in EXTRAS.items()}


def required_by(path):
    """The requirements in a file, without those of the files that it includes."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in (ROOT / path).read_text().splitlines())
    return sorted(line for line in lines if line and not line.startswith("-r "))


def test_version_stands_in_the_package_alone():
    assert PROJECT["dynamic"] == ["version"] and "version" not in PROJECT
    source = (ROOT / PYPROJECT["tool"]["hatch"]["version"]["path"]).read_text()
    assert re.findall(r'^__version__ = "(\d+\.\d+\.\d+)"$', source, re.MULTILINE) == [nn.__version__]


def test_newest_version_in_the_changelog_is_this_one():
    versions = re.findall(
        r"^## \[(\d[^]]*)\] - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert versions[0] == nn.__version__ and versions[-1] == "0.1.0"


def test_requirements_of_a_job_are_the_dependencies_with_plots():
    assert required_by("requirements.txt") == sorted(PROJECT["dependencies"] + EXTRAS["plots"])


@pytest.mark.parametrize("name", ["dev", "bench"])
def test_an_extra_holds_what_its_requirements_file_holds(name):
    file = f"requirements-{name}.txt"
    assert "-r requirements.txt" in (ROOT / file).read_text().splitlines()
    (plots,) = set(EXTRAS[name]) & set(OWN)
    assert OWN[plots] == EXTRAS["plots"]
    assert required_by(file) == sorted(set(EXTRAS[name]) - {plots})


def test_wheel_holds_the_recipes_and_the_marker_of_types():
    wheel = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["nn"] and wheel["force-include"] == {"recipes": "nn/recipes"}
    assert (ROOT / "nn" / "py.typed").is_file()


def test_oldest_python_is_the_same_everywhere():
    assert PROJECT["requires-python"] == ">=3.10"
    tools = PYPROJECT["tool"]
    assert tools["ruff"]["target-version"] == "py310" and tools["mypy"]["python_version"] == "3.10"
    workflow = Path(ROOT, ".github", "workflows", "checks.yml").read_text()
    assert '"3.10"' in workflow

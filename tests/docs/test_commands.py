"""Each fenced command of the pages is held against the real parsers, and each option that a page names is there.

README, docs/your_data.md and docs/pyspark_ml.md are run, too: tests/programs/test_readme.py and tests/ml/test_docs.py.
"""

import ast
import re
import shlex

import pytest

import nn
import nn.layers
import nn.ml
import nn.models
import nn.optim
import nn.spark
import nn.training
from nn.cli import parser, predict_options
from nn.core.errors import UsageError
from nn.datasets import options as data_options
from nn.plotting import options as plot_options
from tests.support import ROOT

OF_OTHERS = ("docs/tutorial", "docs/clusters", "docs/notebooks")  # which have tests of their own
PAGES = [
    page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
    if not str(page.relative_to(ROOT)).startswith(OF_OTHERS)
]
PROGRAMS = {"main_task.py": parser.parse, "predict_task.py": predict_options.parse}
PARSERS = {"generate_data.py": data_options.read_options, "generate_plots.py": plot_options.read_options}
# Commands of others, which nothing here can check.
FOREIGN = {".", "cmp", "cp", "gcloud", "head", "mkdir", "pip", "sed", "umask"}
# Of spark-submit and gcloud.
SPARK = {"--archives", "--conf", "--deploy-mode", "--driver-memory", "--executor-memory", "--files", "--jars"}
SPARK |= {"--master", "--packages", "--py-files", "--cluster", "--region"}
PLACEHOLDERS = {"--name", "--no-"}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, *languages):
    return [text for language, text in BLOCK.findall(page.read_text()) if language in languages]


def commands(page):
    """The commands in a page's blocks of shell, as words."""
    for block in blocks(page, "sh"):
        for line in re.findall(r"(?:.*\\\n)*.+", block):
            lexer = shlex.shlex(line.replace("\\\n", " "), posix=True, punctuation_chars=";&|")
            lexer.whitespace_split = True
            words = []
            for word in [*lexer, ";"]:
                if not re.fullmatch("[;&|]+", word):
                    words.append(word)
                    continue
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                if words:
                    yield words
                words = []


def program_of(words):
    """(program of ours, its words), or None."""
    for place, word in enumerate(words):
        name = word.rpartition("/")[2]
        if name in (*PROGRAMS, *PARSERS):
            rest = words[place + 1 :]
            return name, rest[
                rest.index("--") + 1 :
            ] if "--" in rest else rest  # behind a launcher's own options
    return None


def known_options(name):
    text = (ROOT / "docs/reference/options.md").read_text().split(f"\n## {name}\n")[1].split("\n## ")[0]
    return {*re.findall(r"^\| `(--[a-z][a-z0-9-]*)", text, re.MULTILINE), "--help"}


def refuse_unknown(name, words):
    words = [word for word in words if word not in ("[options]", "...") and ">" not in word]
    known, options = known_options(name), [word.partition("=")[0] for word in words if word.startswith("--")]
    unknown = [word for word in options if not {word, word.replace("--no-", "--", 1)} & known]
    assert not unknown, (name, unknown)
    if name in PROGRAMS and "--config" not in words and "..." not in words:
        try:
            PROGRAMS[name](words)
        except UsageError as error:
            assert "required" in str(error), (words, error)  # the paths are left out where they do not matter


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_are_those_of_the_programs(page):
    for words in commands(page):
        ours = program_of(words)
        if ours is not None:
            refuse_unknown(*ours)
        elif words[0] == "make":
            targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert words[1] in targets, words
        elif words[0].endswith("python") or words[0] == "python3":
            module = words[words.index("-m") + 1] if "-m" in words else words[1]
            path = ROOT / (module if module.endswith(".py") else module.replace(".", "/") + ".py")
            assert path.is_file() or module == "pytest", words
        else:
            assert words[0] in FOREIGN, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_of_a_page_compiles_and_names_what_there_is(page):
    for block in blocks(page, "python"):
        if page.parent.name == "reference" or re.search(
            "def forward|torch", block
        ):  # signatures, parts of a class
            continue
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "nn":
                assert hasattr(nn, node.attr), ast.unparse(node)


def test_options_that_the_pages_name_are_there():
    known = {*SPARK, *PLACEHOLDERS}.union(*(known_options(name) for name in (*PROGRAMS, *PARSERS)))
    measuring = [*(ROOT / "benchmarks").rglob("*.py"), ROOT / "tests" / "conftest.py"]
    known |= {word for path in measuring for word in re.findall(r'"(--[a-z-]+)"', path.read_text())}
    unknown = {}
    for page in PAGES:
        prose = BLOCK.sub(lambda block: "" if block[1] == "sh" else block[0], page.read_text())
        for word in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", prose):
            if not {word, word.replace("--no-", "--", 1)} & known:
                unknown.setdefault(word, page.name)
    assert unknown == {}


def test_a_command_with_an_unknown_option_is_refused():
    with pytest.raises(AssertionError, match="--epoch"):
        refuse_unknown("main_task.py", ["a", "b", "c", "d", "out", "--epoch", "3"])
    with pytest.raises(AssertionError, match="--epochs"):
        refuse_unknown("main_task.py", ["a", "b", "c", "d", "out", "--epochs", "none"])

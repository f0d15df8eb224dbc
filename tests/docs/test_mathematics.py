"""docs/mathematics.md names every formula of the code and the test that holds it; its LaTeX is what GitHub renders."""

import re

import pytest

from nn.data.augmentation import AUGMENTATIONS
from nn.layers import LAYERS
from nn.layers.initializers import INITIALIZERS
from nn.models.losses import LOSSES
from nn.models.regression_losses import REGRESSION_LOSSES
from nn.optim.schedules import SCHEDULES
from nn.training.recipe import OPTIMIZERS
from tests.support import ROOT
from tests.support.pages import FENCED

PAGE = "docs/mathematics.md"
TEXT, _, TABLE = (ROOT / PAGE).read_text().partition("## Where each formula is tested")
ROWS = re.findall(r"^\| (?!formula|---)([^|]+) \| ([^|]+) \|$", TABLE, re.MULTILINE)
REGISTRIES = LAYERS, LOSSES, REGRESSION_LOSSES, OPTIMIZERS, SCHEDULES, INITIALIZERS, AUGMENTATIONS
WORDS = sorted({name for registry in REGISTRIES for name in registry})
PAGES = [PAGE, *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs/tutorial").glob("*.md"))]


@pytest.mark.parametrize("word", WORDS)
def test_every_word_of_the_options_has_a_formula_and_a_test(word):
    named = rf"(?<![\w-]){re.escape(word)}(?![\w-])"
    assert re.search(named, TEXT), f"{PAGE} has no formula of {word}"
    assert any(re.search(named, names) for names, _ in ROWS), f"{PAGE} names no test of {word}"


@pytest.mark.parametrize(("names", "tests"), ROWS, ids=[names[:40] for names, _ in ROWS])
def test_tests_that_the_page_names_are_there(names, tests):
    pieces = re.split(r"(tests/[\w/]+\.py)", tests)[1:]
    assert pieces
    for path, rest in zip(pieces[::2], pieces[1::2], strict=True):
        functions = set(re.findall(r"^def (test_\w+)", (ROOT / path).read_text(), re.MULTILINE))
        assert set(re.findall(r"`(test_\w+)`", rest)) <= functions, path


def formulas(page):
    """(formula, its line, whether it is in a table) of those inside the text of a page."""
    text = FENCED.sub(lambda match: "\n" * match[0].count("\n"), (ROOT / page).read_text())
    for number, line in enumerate(text.splitlines(), 1):
        pieces = re.sub(r"`[^`]*`", "", line).split("$")
        assert len(pieces) % 2, f"{page}, line {number}: a $ without its other"
        for before, formula, after in zip(pieces[::2], pieces[1::2], pieces[2::2], strict=False):
            yield formula, f"{page}, line {number}: {formula}", before, after


@pytest.mark.parametrize("page", PAGES)
def test_github_renders_the_formulas_inside_the_text(page):
    """Markdown goes first: it takes a backslash before punctuation away, and _ between signs for emphasis."""
    for formula, place, before, after in formulas(page):
        assert formula == formula.strip() != "", place
        assert not re.search(r"\\[^a-zA-Z]", formula), place
        assert not re.search(r"[^\w]_|[*|<>]", formula), place
        assert formula.count("{") == formula.count("}"), place
        assert not re.search(r"\w$", before) and not re.match(r"\w", after), place


@pytest.mark.parametrize("page", PAGES)
def test_displayed_formulas_are_balanced(page):
    for match in FENCED.finditer((ROOT / page).read_text()):
        if match[1] == "math":
            formula = re.sub(r"\\[{}]", "", match[2])
            assert formula.count("{") == formula.count("}") and "\n\n" not in formula, formula
            assert re.findall(r"\\begin\{([\w*]+)\}", formula) == re.findall(r"\\end\{([\w*]+)\}", formula), (
                formula
            )


def test_the_page_has_formulas_in_latex_alone():
    assert len(list(formulas(PAGE))) > 100
    assert not re.search(r"[ΣΠ√∂σδβμρᵀ←≤≥²½]", TEXT)

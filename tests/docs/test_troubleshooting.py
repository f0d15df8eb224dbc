"""docs/troubleshooting.md has each message that the code raises, and none that it does not."""

import re
from collections import Counter

import pytest

from nn.cli import parser
from nn.cli.options import recipe_errors
from nn.core.errors import UserError
from nn.training.assembly import network_of
from nn.training.backend import Facts
from tools.docs.messages import templates
from tools.docs.troubleshooting import HEADER, PAGE, matches, patterns

TEMPLATES, PATTERNS = templates(), patterns()


def test_every_message_of_the_code_is_in_the_page():
    missing = {
        text: place for text, place in TEMPLATES.items() if not any(matches(p, text) for p in PATTERNS)
    }
    assert not missing, "add a row to docs/troubleshooting.md"
    assert len(TEMPLATES) > 400


def test_every_message_of_the_page_is_in_the_code():
    assert [p for p in PATTERNS if not any(matches(p, text) for text in TEMPLATES)] == []
    assert [p for p, count in Counter(PATTERNS).items() if count > 1] == []


def test_every_row_has_a_cause_and_a_cure():
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 120
    for row in rows:
        cells = [cell.strip() for cell in re.sub(r"`[^`]*`", "`x`", row).strip("|").split("|")]
        assert len(cells) == 3 and all(cells), row
    assert PAGE.read_text().count(HEADER) > 15


@pytest.mark.parametrize(
    "source, text",
    [
        ('raise UsageError(f"--new: expected a moon, found {value!r}")', "--new: expected a moon, found {}"),
        ('raise DataError("short" if x else f"{a}{b}: all rows are {c}")', "{}: all rows are {}"),
        ('def _fault(x):\n    return f"the total is {x}"', "the total is {}"),
        ('LineError(3, f"{n} stars", "a planet")', "expected {} stars, found a planet"),
        ('parser.error("the option is " + word)', "the option is {}"),
        ('found = f"expected {n} moons, found none"', "expected {} moons, found none"),
    ],
)
def test_a_new_message_is_found(tmp_path, source, text):
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "new.py").write_text(f'"""Docstring: cannot count."""\n{source}\n')
    found = templates(tmp_path / "nn")
    assert found[text].startswith("nn/new.py:") and len(found) <= 2
    assert not any(matches(pattern, text) for pattern in PATTERNS)


def test_an_error_of_python_is_no_message(tmp_path):
    (tmp_path / "new.py").write_text(
        'raise NotImplementedError("never seen")\nraise AssertionError("nor this")\n'
    )
    assert templates(tmp_path) == {}


def test_patterns_that_say_little_stand_for_one_template():
    assert matches("...: expected ..., found ...", "{}: expected {}, found {}")
    assert not matches("...: expected ..., found ...", "{}: expected a moon, found {}")
    assert matches("expected ... moonlets, found ...", "{}: expected {} moonlets, found {}")


PATHS = ["x.csv", "y.csv", "xt.csv", "yt.csv", "out"]


@pytest.mark.parametrize(
    "words, row",
    [
        (["--epochs", "0"], "...: expected ..., found ..."),
        (["--layers", "dense:64,flaten"], "unknown ... ...; known: ..."),
        (["--layers", "dense:64:rate"], "...: expected field=value, found ..."),
        (["--overwrite", "--resume"], "... exclude each other: ..."),
        (["--patience", "3"], "patience needs validation-fraction or validation-column: ..."),
        (["--warmup", "200"], "warmup: expected fewer than the ... epochs, found ..."),
        (["--layers", "flatten,conv2d:8x3"], "needs an image (h, w, c), got ...; put it before flatten"),
    ],
)
def test_the_line_that_a_program_prints_is_found_on_the_page(words, row):
    with pytest.raises(UserError) as refusal:
        options = parser.parse([*PATHS, *words])
        with recipe_errors():
            network_of(options.recipe, Facts.of_shapes(784, 10))
    expression = ".*".join(map(re.escape, row.split("...")))
    assert row in PATTERNS and re.search(expression, refusal.value.on_command_line())

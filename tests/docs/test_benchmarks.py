"""docs/benchmarks.md: each figure of its first section stands in a table below it."""

import re

from tests.support import ROOT

PAGE = (ROOT / "docs/benchmarks.md").read_text()
CLAIMS, _, REST = PAGE.partition("\n## What to believe\n")[2].partition("\n## ")
TABLES = "\n".join(line for line in REST.splitlines() if line.startswith("|"))
FIGURE = re.compile(r"[\d,]+(?:\.\d+)? ?(?:s|ms|MB|%)(?!\w)|0\.\d{4}|\d\.\d+(?= times)|0\.\d\d(?= to )")


def figures(claim):
    """Those of a claim, without the names of networks and the targets of links."""
    return FIGURE.findall(re.sub(r"`[^`]*`|\(#[^)]*\)|\d+(?:-\d+)+", "", claim))


def test_figures_of_the_first_section_stand_in_the_tables():
    claims = re.findall(r"^- (.+)$", CLAIMS, re.MULTILINE)
    assert 9 <= len(claims) <= 12
    for claim in claims[:-1]:  # the last is about all tables
        found = figures(claim)
        assert found and "](#" in claim, claim
        for figure in found:
            assert re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d.])", TABLES), (figure, claim)


def test_figures_are_found():
    claim = "to `0.9` in 0.21 s, 88.2 ms, 4,388 MB, 96.88 %, 87%, 0.9957, 2.1 times, 784-64-10 and 0.70 to 0.90 times"
    assert figures(claim) == [
        "0.21 s",
        "88.2 ms",
        "4,388 MB",
        "96.88 %",
        "87%",
        "0.9957",
        "2.1",
        "0.70",
        "0.90",
    ]

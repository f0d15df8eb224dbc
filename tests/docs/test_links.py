"""Every local link and anchor of the pages leads somewhere, by GitHub's rules; no mkdocs is needed."""

import re

import pytest

from tests.support import ROOT
from tools.docs.links import anchor_of, anchors, broken, links

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "benchmarks" / "results" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    assert broken(page, ROOT) == []


def test_entrance_names_every_page_of_the_first_level():
    text = (ROOT / "docs" / "README.md").read_text()
    reached = {target.partition("#")[0] for _, target in links(text)}
    for page in PAGES:
        if page.parent == ROOT / "docs" and page.name != "README.md":
            assert page.name in reached, page.name


@pytest.mark.parametrize(
    "heading, anchor",
    [
        ("Checkpoints and `--resume`", "checkpoints-and---resume"),
        ("10 % accuracy", "10--accuracy"),
        ("In Python: nn.fit, nn.load", "in-python-nnfit-nnload"),
        ("Files in [OUTPUT](x.md)", "files-in-output"),
        ("leaky_relu", "leaky_relu"),
    ],
)
def test_anchors_are_those_of_github(heading, anchor):
    assert anchor_of(heading) == anchor


def test_equal_headings_are_numbered_and_code_has_none():
    assert anchors('# A\n## A\n```\n# no heading\n```\n<a id="own"></a>\n') == {"a", "a-1", "own"}


def test_a_broken_link_is_named_with_its_line(tmp_path):
    (tmp_path / "b.md").write_text("# There\n")
    page = tmp_path / "a.md"
    page.write_text(
        "[x](b.md#there) [y](b.md#gone)\n\n`[z](code.md)` ![p](none.png) [w](../out.md) [m](mailto:a@b.c)\n"
    )
    assert broken(page, tmp_path) == [
        "a.md, line 1: b.md#gone: no such heading",
        "a.md, line 3: none.png: no such file",
        "a.md, line 3: ../out.md: no such file",
    ]


def test_glossary_is_in_alphabetical_order():
    text = (ROOT / "docs" / "glossary.md").read_text()
    terms = [term.lower() for term in re.findall(r"^(?:<a [^>]*></a>)?\*\*([^*]+)\.\*\*", text, re.MULTILINE)]
    assert terms == sorted(terms, key=lambda term: term.replace("-", " ")) and len(terms) > 40

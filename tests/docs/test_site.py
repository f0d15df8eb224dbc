"""The site: mkdocs.yml has a place for every page, and links out of docs/ lead somewhere; no mkdocs is needed."""

import re

import pytest

import nn
from tests.support import ROOT
from tools.docs import site

TEXT = (ROOT / "mkdocs.yml").read_text()
ENTRIES = re.findall(r"^ +- (?:\w+: )?\"?([^\s\"]+\.md)\"?$", TEXT.split("\nnav:\n")[1], re.MULTILINE)
PAGES = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
ALL = PAGES | {f"project/{name}" for name in site.PROJECT}
KNOWN = {"README.md", "a/b.md", "local_test/README.md", "pictures/x.png", "project/README.md"}


def test_every_page_is_in_the_nav_once():
    found = site.filled(list(ENTRIES), ALL)
    assert sorted(found) == sorted(ALL)
    assert re.findall(r"^  - (.+):", TEXT.split("\nnav:\n")[1], re.MULTILINE) == [
        "Home",
        "Tutorials",
        "How-to",
        "Concepts",
        "Reference",
        "More",
    ]


def test_nav_leaves_out_what_is_not_there():
    nav = [{"A": ["x.md", "t/*.md"]}, {"B": ["gone.md", "none/*.md"]}, {"C": "c.md"}, {"More": ["*.md"]}]
    assert site.filled(nav, {"x.md", "t/2.md", "t/1.md", "c.md", "u/z.md"}) == [
        {"A": ["x.md", "t/1.md", "t/2.md"]},
        {"C": "c.md"},
        {"More": ["u/z.md"]},
    ]


@pytest.mark.parametrize(
    "here, link, expected",
    [
        ("a/b.md", "[x](../README.md#y)", "[x](../README.md#y)"),
        ("README.md", "[x](../README.md#y)", "[x](project/README.md#y)"),
        ("a/b.md", "[x](../../nn/core/tree.py)", "[x](https://host/p/blob/main/nn/core/tree.py)"),
        ("project/README.md", "[x](docs/a/b.md)", "[x](../a/b.md)"),
        ("project/README.md", "[x](docs/local_test)", "[x](../local_test/README.md)"),
        ("project/README.md", "![x](docs/pictures/x.png)", "![x](../pictures/x.png)"),
        ("a/b.md", "[x](#here) [y](https://z.org/a)", "[x](#here) [y](https://z.org/a)"),
        ("a/b.md", "```\n[x](../../nn/a.py)\n```", "```\n[x](../../nn/a.py)\n```"),
    ],
)
def test_links_lead_into_the_site_or_to_the_repository(here, link, expected):
    assert site.replaced_links(link, here, KNOWN, "https://host/p/") == expected


def test_without_a_repository_a_link_to_code_is_its_text():
    assert site.replaced_links("see [`tree`](../nn/core/tree.py).", "README.md", KNOWN, "") == "see `tree`."


def test_version_is_that_of_the_package():
    assert site.version() == nn.__version__


def test_changes_after_the_last_version_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr(site, "ROOT", tmp_path)
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- a\n\n## [0.2.0]\n"
    )
    assert not site.released()
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [0.2.0]\n")
    assert site.released()


def test_requirements_of_the_site_are_pinned_to_a_major_version():
    lines = (ROOT / "requirements-docs.txt").read_text().splitlines()
    assert any(re.fullmatch(r"mkdocs-material>=[\d.]+,<10", line) for line in lines)


def test_makefile_builds_it_strictly_and_removes_it():
    makefile = (ROOT / "Makefile").read_text()
    assert "mkdocs build --strict" in makefile and re.search(r"rm -rf .*\bsite\b", makefile)
    assert "/site/" in (ROOT / ".gitignore").read_text().splitlines()

"""The pages of docs/tutorial/: their Python runs and prints what they show, and each leads to the next."""

import re
from unittest.mock import patch

import pytest

from nn.layers import LAYERS
from tests.support import ROOT
from tests.support.pages import run_snippets

FOLDER = ROOT / "docs" / "tutorial"
PARTS = sorted(FOLDER.glob("[0-9]-*.md"))
ON_SPARK = {"3-spark.md"}
AFTER_A_RUN = {"0-ten-minutes.md"}  # reads what its commands have written: tests/programs/test_readme.py


@pytest.mark.parametrize("part", [p.name for p in PARTS if p.name not in ON_SPARK | AFTER_A_RUN])
def test_snippets_of_a_part_print_what_it_shows(part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with patch.dict(LAYERS):  # a part registers a layer of its own
        run_snippets(f"docs/tutorial/{part}")
    assert "silu" not in LAYERS


def test_snippets_of_the_part_about_spark_print_what_it_shows(spark):
    run_snippets("docs/tutorial/3-spark.md")


def test_parts_are_eight_and_link_in_order():
    names = [path.name for path in PARTS]
    assert [name[0] for name in names] == list("01234567")
    index = (FOLDER / "README.md").read_text()
    assert re.findall(r"\]\((\d-[\w-]+\.md)\)", index) == names
    for number, path in enumerate(PARTS):
        text = path.read_text()
        before, after = names[number - 1 : number] if number else [], names[number + 1 : number + 2]
        links = re.findall(r"(previous|next): \[[^]]+\]\(([\w-]+\.md)\)", text)
        expected = [("previous", name) for name in before] + [("next", name) for name in after]
        assert links == 2 * expected, path.name  # above and below


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_a_part_has_two_exercises_with_answers(path):
    exercises = path.read_text().partition("## Exercises")[2]
    questions, _, answers = exercises.partition('<details markdown="1"><summary>Answers</summary>')
    for half in (questions, answers):
        assert re.findall(r"^(\d)\. ", half, re.MULTILINE) == ["1", "2"]
    assert "```python" in answers and answers.count("</details>") == 1


def anchors(page):
    """Those that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", [*PARTS, FOLDER / "README.md"], ids=lambda path: path.name)
def test_links_of_a_part_lead_to_files(path):
    links = re.findall(r"\]\((?!https?:)([^)#]+)(?:#([^)]*))?\)", path.read_text())
    assert links
    for link, anchor in links:
        target = path.parent / link
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), (link, anchor)


def test_every_picture_is_shown_with_a_text_for_those_who_do_not_see_it():
    text = "".join(path.read_text() for path in PARTS)
    shown = re.findall(r"!\[([^]]{30,})\]\(pictures/([\w.]+)\)", text)
    assert sorted(name for _, name in shown) == sorted(path.name for path in (FOLDER / "pictures").iterdir())


def test_seconds_of_records_and_blocks_are_those_of_the_benchmarks():
    measured = (ROOT / "docs" / "benchmarks.md").read_text()
    text = (FOLDER / "4-eight-maps.md").read_text()
    shown = re.findall(r"^\| [^|]+ \| a (?:row|block of rows) \| ([^|]+) \|$", text, re.MULTILINE)
    names = "one row a record", "this project, all rows"
    found = [re.search(rf"^\| {name} \| ([\d.]+ m?s) \|", measured, re.MULTILINE)[1] for name in names]
    assert shown == found
    records, blocks = (float(time.split()[0]) / (1000 if time.endswith("ms") else 1) for time in found)
    assert f"That is {records / blocks:.0f} times faster" in text

"""Every paper that the pages and the code name by author and year is in the list of papers."""

import re

from tests.support import ROOT

NAMED = re.compile(
    r"([A-Z][\w-]+)(?:,\s+[A-Z][\w-]+)*(?:,?\s+and\s+[A-Z][\w-]+|\s+et\s+al\.)?,\s+((?:18|19|20)\d\d)(?![\d-])"
)
NO_AUTHORS = {"Linux"}  # "Amazon Linux, 2023", and months


def named(text):
    """First authors and years."""
    months = "January|February|March|April|May|June|July|August|September|October|November|December"
    return {
        (author, year)
        for author, year in NAMED.findall(text)
        if not re.fullmatch(months, author) and author not in NO_AUTHORS
    }


LISTED = named((ROOT / "docs/papers.md").read_text())
TEXTS = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("nn/**/*.py"), ROOT / "README.md"]


def test_papers_that_are_named_are_listed():
    missing = {str(path.relative_to(ROOT)): named(path.read_text()) - LISTED for path in TEXTS}
    assert {path: found for path, found in missing.items() if found} == {}
    assert len(LISTED) > 50


def test_papers_are_in_the_order_of_their_authors():
    rows = re.findall(r"^\| (.*?), (\d{4}) \|", (ROOT / "docs/papers.md").read_text(), re.MULTILINE)
    assert len(rows) > 50
    assert rows == sorted(rows, key=lambda row: (re.split(",| and| et", row[0])[0].lower(), row[1]))


def test_a_paper_is_found_however_many_authors_it_has():
    text = (
        "(Kingma and Ba, 2015; Bar-Yossef et al., 2002; Ba, Kiros and Hinton, 2016; Huber, 1964), March, 2026"
    )
    assert named(text) == {("Kingma", "2015"), ("Bar-Yossef", "2002"), ("Ba", "2016"), ("Huber", "1964")}

"""The blocks of code in the project's pages, and their snippets run as a reader runs them."""

import contextlib
import io
import re
from typing import NamedTuple

from tests.support import ROOT

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code: the line at which it begins, its language ("" without one), and its text."""

    line: int
    language: str
    text: str


def fenced(page):
    """All blocks of code in a page, from its first line to its last."""
    text = (ROOT / page).read_text()
    return [Block(text[: match.start()].count("\n") + 1, *match.groups()) for match in FENCED.finditer(text)]


def blocks(language, page="README.md"):
    """The blocks of one language in a page, each with the line at which it begins."""
    return [(block.line, block.text) for block in fenced(page) if block.language == language]


def snippets(page):
    """(line, code, the output that the page shows below it or None) of the blocks of Python in a page."""
    listed = fenced(page)
    for block, following in zip(listed, [*listed[1:], Block(0, "", "")], strict=True):
        if block.language == "python":
            shows = following.language == "text"
            yield block.line, block.text, following.text if shows else None


def run_snippets(page, names=None):
    """Run the Python of a page in one namespace, check the outputs that it shows, and return the namespace."""
    names = {"__name__": "__main__"} if names is None else names
    for line, code, shown in snippets(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile("\n" * line + code, str(page), "exec"), names)
        if shown is not None:
            assert printed.getvalue() == shown, f"{page}, line {line}"
    return names

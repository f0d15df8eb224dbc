"""Strings of users in Markdown: nothing in them ends a line, a code span or a cell, or steers a terminal."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from nn.io.markdown import block, code, codes, table


@given(st.text())
@example("`")
@example("``a`")
@example("a|b\n# c\x1b[31m\u202e")
@example("")
@example("a\\")
def test_text_becomes_one_code_span(text):
    span = code(text)
    fence = re.match("`+", span)[0]
    inner = span[len(fence) : -len(fence)]
    assert span.endswith(fence) and inner and fence not in re.findall("`+", inner)
    assert inner[0] != "`" and inner[-1] != "`"
    assert span.isprintable() and "|" not in span


def test_plain_texts_stay_as_they_are():
    assert code("income") == "`income`" and code("Zürich *1* <b>") == "`Zürich *1* <b>`"
    assert code("a|b\tc") == r"`a\x7cb\tc`" and code("`a`") == "`` `a` ``" and code("") == "` `"


def test_long_texts_and_lists_are_cut():
    assert code("a" * 100) == f"`{'a' * 80}...`" and code("a" * 100, 300) == f"`{'a' * 100}`"
    assert codes(["a", "b", "c"], 2) == "`a`, `b`, ... (3 in all)" and codes(["a"], 2) == "`a`"


def test_table_has_a_line_for_each_row_and_says_what_it_leaves_out():
    rows = [(str(row), "x") for row in range(4)]
    assert table(("a", "b"), rows, 4).splitlines()[1:4] == ["| --- | --- |", "| 0 | x |", "| 1 | x |"]
    assert table(("a", "b"), rows, 3).splitlines()[-3:] == ["| 2 | x |", "", "1 more row is left out here."]
    assert table(("a", "b"), rows, 2).endswith("2 more rows are left out here.")


def test_block_of_code_is_fenced():
    assert block("x = 1", "python") == "```python\nx = 1\n```"

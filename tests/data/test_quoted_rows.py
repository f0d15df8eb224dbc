"""Rows of text with quotes, names and missing values, read in Python."""

import numpy as np

from nn.data import quoted_text
from nn.data.quoted_rows import numbers, read_columns


def columns_of(tmp_path, *texts, skip=0):
    paths = []
    for index, text in enumerate(texts):
        (tmp_path / f"{index}.csv").write_text(text)
        paths.append(str(tmp_path / f"{index}.csv"))
    lines = texts[0].lstrip("\ufeff").splitlines()[skip:]
    return read_columns(paths, quoted_text.inspect(lines), skip, quoted_text.MISSING_VALUES)


def test_quotes_missing_values_headers_of_each_file_and_blank_lines_are_understood(tmp_path):
    first = '\ufeffcity,n\n"Washington, DC",1\n\nLima,NA\n'
    assert columns_of(tmp_path, first, "city,n\nRome,3\n") == [
        ["Washington, DC", "Lima", "Rome"],
        ["1", None, "3"],
    ]


def test_comments_skipped_lines_and_row_names_are_left_out(tmp_path):
    text = "made by hand\n'a';'b'\n# a comment\n'r1';1;2\n'r2';3;4\n"
    assert columns_of(tmp_path, text, skip=1) == [["r1", "r2"], ["1", "3"], ["2", "4"]]


def test_rows_that_start_with_a_hash_are_rows(tmp_path):
    text = "# colors\n#id,color\n1,red\n#2,#00ff00\n"
    assert columns_of(tmp_path, text) == [["1", "#2"], ["red", "#00ff00"]]


def test_rows_of_another_width_and_line_ends_in_quotes_are_left_to_spark(tmp_path):
    assert columns_of(tmp_path, "a,b\n1,x\n1,2,3\n") is None
    assert columns_of(tmp_path, 'a,b\n1,"x\ny"\n1,2\n') is None
    assert columns_of(tmp_path, "a,b\n1,2\n" * 5 + '3,"' + "x" * 140_000 + "\n") is None


def test_cells_are_numbers_or_not():
    np.testing.assert_array_equal(numbers(["1", None, "-2.5e3"]), [1, np.nan, -2500])
    assert numbers(["1", "x"]) is None and numbers(["1e39"]) is None

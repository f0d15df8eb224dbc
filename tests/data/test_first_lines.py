"""An error in the first line is reported with what to do about it."""

import io

import numpy as np
import pytest

from nn.data import hints
from nn.data.first_lines import error_message, inspect


def message(lines, is_labels=False, start=b"", skip=0, many=False):
    first = inspect(lines, "auto", skip, is_labels, lambda: start)
    return first.fault and error_message(first.fault, "x.csv", skip, many)


def test_a_row_or_a_header_is_accepted():
    first = inspect(["a,b", "", "1,2"], "auto", 0, False, bytes)
    assert (first.has_header, first.row, first.fault) == (True, "1,2", None)
    assert inspect(["1,2", ""], "auto", 0, False, bytes).row == "1,2"


def test_a_title_that_the_user_calls_a_header_gives_no_names():
    first = inspect(["made by me", "1,2", "3,4"], "yes", 0, False, bytes)
    assert (first.has_header, first.names, first.row) == (True, (), "1,2")
    assert inspect(["a,b", "1,2"], "yes", 0, False, bytes).names == ("a", "b")


def npy():
    file = io.BytesIO()
    np.save(file, np.zeros((2, 3)))
    return file.getvalue()


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"PAR1\x15\x04\x15", "a Parquet file"),
        (b"PK\x03\x04\x14\x00", "a zip archive or an Excel workbook"),
        (b"\x00\x00\x08\x03\x00\x00\x00\x02", "an IDX file: python generate_data.py --from FOLDER"),
        (npy()[: hints.LONGEST_START], "a .npy file"),
        (b"\x1f\x8b\x08\x00", "a gzip file: give its name the ending .gz"),
        (b"\x80\x04\x95", "a Python pickle"),
        (b"\xff\xfe1\x00", "text in UTF-16"),
        (b'{"a": 1}', "JSON"),
        (b"<html>", "HTML or XML"),
        (b"@relation iris", "an ARFF file"),
    ],
)
def test_another_format_is_named(start, name):
    line = start.decode("utf-8", errors="replace").splitlines()[0]
    assert message([line], start=start).startswith(f"x.csv, line 1: expected a row of numbers, found {name}")


def test_a_header_in_another_encoding_is_a_header():
    line = "größe,breite".encode("latin-1").decode("utf-8", errors="replace")
    first = inspect([line, "1,2"], "auto", 0, False, bytes)
    assert (first.has_header, first.row, first.fault) == (True, "1,2", None)


def test_bytes_of_an_unknown_format_are_not_text():
    assert message(["\0\0\0"], start=b"\0\0\0") == (
        "x.csv, line 1: expected a row of numbers, found bytes that are not text"
    )


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["57/32/0", "1/2/3"], "numbers separated by commas, semicolons, tabs, vertical bars or blanks"),
        (["0 1:55 2:28", "1 1:3 2:4"], "found '1:55'; this looks like LibSVM"),
        (["1,NA", "3,4"], "a missing value: fill it in, or leave out the rows that have one"),
        (["1,?,3", "3,4,5"], "a missing value: fill it in, or leave out the rows that have one"),
        (["?,NA", "3,4"], "a missing value: fill it in, or leave out the rows that have one"),
        ([",2020,2021", "0,4,5"], "a header with numbers in it?"),
        (["1,inf", "3,4"], "an infinite value: write a finite one, or leave out the rows that have one"),
        (["1,NA", "NA,4", "2,3"], "a missing value: fill it in, or leave out the rows that have one"),
        (["1,", "2,"], "found nothing; a missing value"),
        (["1,'0'", "2,'1'"], "write values without quotes"),
        (["5,setosa", "6,versicolor"], "labels are class numbers 0, 1, 2, ...: number the names"),
        (["5,True", "6,False"], "write 1 for true and 0 for false"),
        (["5,2024-01-02", "6,2024-01-03"], "a date or a time"),
        (
            ["0 1:55", "1 1:3 2:4"],
            "found '1:55'; this looks like LibSVM",
        ),  # as wide as it has values other than 0
        (["1,5;2,5", "3,5;4,5"], "found '1,5'; write decimal points, not commas"),
        (["1,2", "1,2,3", "4,5,6"], "expected 3 values separated by commas, found 2 values; --skip-lines 1"),
        (["", "1,2"], "expected a row of numbers, found an empty line"),
    ],
)
def test_a_bad_first_line_gets_a_hint(lines, expected):
    assert expected in message(lines)


def test_labels_are_named_in_the_error():
    assert message(["dog", "cat"], is_labels=True) == (
        "x.csv, line 1: expected a number as value 1 of 1, found 'dog'; labels are class numbers 0, 1, 2, ...: "
        "number the names"
    )


def test_a_stray_file_is_suspected_among_several():
    line = message(["hello", "1,2", "3,4"], many=True)
    assert line == (
        "x.csv, line 1: expected 2 values separated by commas, found 1 value; move the file out of the folder if it "
        "is not part of the data; else --skip-lines 1 leaves it out if it is a header or no row"
    )


def test_line_numbers_include_the_skipped_lines():
    assert message(["a", "b", "c", "1,x", "2,y"], skip=3).startswith("x.csv, line 4: ")


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        (-1.0, "labels -1 and 1: write 0 and 1"),
        (2.5, "measured values are learned with --task regression"),
        (7001.0, "number the classes 0, 1, 2, ..."),
    ],
)
def test_a_number_that_is_not_a_label_gets_a_hint(label, hint):
    assert hints.for_label(label) == hint


def test_a_skipped_line_that_is_a_valid_row_is_noted():
    for skipped, notes in (
        (["made by me", "1,2,3"], ()),
        (["", "5,6"], ("line 2 is a valid row, and is left out",)),
    ):
        first = inspect([*skipped, "1,2", "3,4"], "auto", 2, False, bytes)
        assert len(first.notes) == len(notes)
        assert all(map(str.startswith, first.notes, notes)), first.notes


def test_separators_in_the_quotes_of_a_row_do_not_blame_the_header():
    lines = ["# skipped", "a,b", "", '"x, y",1', "z,2"]
    fault = inspect(lines, "auto", 1, False, bytes).fault
    assert fault.in_cell and str(fault).startswith("expected a number as value 1 of 3, found '\"x'")
    assert message(lines, skip=1).startswith("x.csv, line 4: ")
    assert not inspect(["1,2", "1,2,3", "4,5,6"], "auto", 0, False, bytes).fault.in_cell

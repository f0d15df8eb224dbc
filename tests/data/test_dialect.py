"""The dialect of a file is detected from its first lines: what is a header and what is a row."""

import pytest

from nn.data.dialect import Dialect, dialect_of, header_note, is_header


def rows_of(lines, header="auto", skip=0):
    """(layout, whether the first line is a header)."""
    dialect = dialect_of(lines, header, skip)
    return dialect, is_header(lines[0], dialect)


@pytest.mark.parametrize(
    ("lines", "separator", "width", "header"),
    [
        (["1,2,3"], ",", 3, False),
        (["1;2", "3;4"], ";", 2, False),
        (["1\t2\t3"], "\t", 3, False),
        (["5|2|3", "4|5|6"], "|", 3, False),
        (["5  2 3 ", "4 5 6"], None, 3, False),
        (["7", "8"], None, 1, False),
        (["label,a b,c", "1,2,3"], ",", 3, True),
        (["label", "4", "5"], None, 1, True),
        (["x y", "1 2"], None, 2, True),
        (["a|b", "1|2"], "|", 2, True),
        (["a,b,c"], ",", 3, True),
        (["a,b,c", "", "1,2,3"], ",", 3, True),
        (['"a","b"', '"1","2"'], ",", 2, True),
        (['"1","2"', '"3","4"'], ",", 2, False),
        (["sepal,species", "4.00,setosa"], ",", 2, True),
        (["dog", "cat", "dog"], None, 1, False),  # labels that are names: the first is one of them
        (["nan,nan", "1,2"], ",", 2, False),
        (["\ufeffa,b", "1,2"], ",", 2, True),
        (["?", "1", "0"], None, 1, False),  # a missing value is no name
        (["a;b", "1,5;2,5"], ";", 2, True),  # decimal commas, which the row's own fault names
        (["1,5;2,5;3", "3,5;4,5;6"], ";", 3, False),
    ],
)
def test_names_above_numbers_are_a_header(lines, separator, width, header):
    dialect, rows = rows_of(lines)
    assert (dialect.separator, dialect.width, rows) == (separator, width, header)


@pytest.mark.parametrize(
    ("first", "header"),
    [
        (range(784), True),
        (range(1, 785), True),
        (range(10), True),
        (range(3), True),
        (range(1, 4), True),
        (range(2), False),
        (range(2, 12), False),
        ([*range(9), 10], False),
        (["0", "0.1", "0.2", "0.3"], True),
        (["5", "0", "0.1", "0.2", "18", "0.3", "18.1"], True),
        (["0", "0.1", "0.3"], False),
        (["0.0", "0.1", "0.2"], False),
        (["3", "5", "5.1"], False),  # one number that is met again is no proof
        (['"0"', '"1"', '"2"'], True),
        (["label", 0, 1, 2, 3], True),
        ([0, 1, 2, "label"], True),
        (["id", "label", 0, 1], False),
    ],
)
def test_column_numbers_are_a_header(first, header):
    line = ",".join(map(str, first))
    row = ",".join(["7"] * len(first))
    assert rows_of([line, row, row])[1] == header


def test_a_single_row_of_numbers_is_not_a_header():
    assert rows_of(["0,1,2"])[1] is False
    assert rows_of(["0,1,2", "4,5"])[1] is False


def test_numbers_are_a_header_only_if_the_first_file_has_one():
    row = Dialect(",", 3)
    assert not is_header("0,1,2", row) and is_header("0,1,2", row._replace(numbered=True))
    assert is_header("a,b,c", row)


def test_many_column_numbers_are_a_header_in_any_file():
    row = Dialect(",", 10)
    assert is_header("0,1,2,3,4,5,6,7,8,9", row) and is_header("1,2,3,4,5,6,7,8,9,10", row)
    assert not is_header("0,1,2,3,4,5,6,7,8,8", row)
    assert not is_header("0,1,2,3,4,5,6,7,8,9", row._replace(header="no"))


def test_the_option_header_overrides_detection():
    assert rows_of(["0,1,2", "7,8,9"], "no") == (Dialect(",", 3, "no"), False)
    dialect, header = rows_of(["1,2,3", "7;8"], "yes")
    assert header and (dialect.separator, dialect.width) == (";", 2)
    assert rows_of(["a,b", "c,d"], "yes")[1] and not rows_of(["a,b", "1,2"], "no")[1]


@pytest.mark.parametrize("header", ["auto", "yes", "no"])
def test_a_blank_row_has_width_1(header):
    assert dialect_of(["\ufeff"], header).width == dialect_of(["a", "\ufeff", "2"], header).width == 1


@pytest.mark.parametrize(
    ("lines", "width", "hint"),
    [
        (["150,4,setosa,versicolor", "1,2,3,0", "1,2,3,1"], 4, "a header with numbers in it?"),
        (
            ["178,13,one,two,three", "1,2,3", "4,5,6"],
            3,
            "--skip-lines 1 leaves it out if it is a header or no row",
        ),
        (["150,4", "1,2,3", "4,5,6"], 3, "--skip-lines 1 leaves it out if it is a header or no row"),
        (["# made by me", "1,2,3", "4,5,6"], 3, "--skip-lines 1 leaves it out if it is a header or no row"),
        (["224|161|029", "1\t2", "3\t4"], 2, "--skip-lines 1 leaves it out if it is a header or no row"),
        (["1,x,3", "4,5,6"], 3, "--header yes reads it as one"),
        (["1,2", "1,2,3"], 2, ""),  # two lines, one of which is wrong: who knows which
        (["1,2", "1,2,3", "4,5"], 2, ""),
        (["5.1,setosa", "4.9,setosa", "6,virginica"], 2, ""),
    ],
)
def test_a_first_line_unlike_the_others_gets_a_hint(lines, width, hint):
    dialect, header = rows_of(lines)
    assert not header and dialect.width == width
    assert hint in dialect.hint and bool(hint) == bool(dialect.hint)


def test_hint_counts_the_skipped_lines():
    dialect = dialect_of(["150,4", "1,2,3", "4,5,6"], skip=2)
    assert dialect.skip == 2 and dialect.hint == "--skip-lines 3 leaves it out if it is a header or no row"


def test_a_few_numbers_as_a_header_are_noted():
    few, many = (",".join(map(str, range(count))) for count in (3, 10))
    for line, noted in ((few, True), (many, False), ("a,b,c", False), (f"label,{few}", False)):
        row = ",".join(["7"] * len(line.split(",")))
        dialect = dialect_of([line, row, row])
        assert is_header(line, dialect)
        assert bool(header_note(line, dialect)) == noted
    dialect = dialect_of([few, "7,8,9"], skip=1)
    assert header_note(few, dialect) == "line 2 (0,1,2) is read as a header; --header no reads it as a row"

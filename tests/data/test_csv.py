"""Lines are parsed into arrays; a bad line gives its number, what was expected and what was found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data import csv
from nn.data.csv import Chunk, LineError, PieceEnd
from nn.data.dialect import Dialect
from nn.data.labels import LabelReader

COMMAS = Dialect(",", 3)


def read(lines, dialect=COMMAS, starts_file=True):
    """(all rows stacked, End)."""
    *chunks, end = csv.parse((line.encode() for line in lines), dialect, starts_file)
    assert all(isinstance(chunk, Chunk) for chunk in chunks) and isinstance(end, PieceEnd)
    rows = [chunk.values for chunk in chunks]
    return (np.concatenate(rows) if rows else np.empty((0, dialect.width))), end


def test_a_header_with_other_names_than_the_first_file_is_refused():
    dialect = Dialect(",", 2, names=("a", "b"))
    for header in ('A,"b"', "a, b"):
        values, end = read([header, "1,2"], dialect)
        assert values.tolist() == [[1, 2]] and end.fault is None
    _, end = read(["b,a", "1,x"], dialect)
    assert end.fault.line == 1 and str(end.fault) == (
        "expected 'a' as the name of column 0, as in the first file, found 'b'; put the columns into the order of the "
        "first file"
    )


@given(
    st.lists(
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from([",", ";", "\t", "|", None]),
)
def test_parse_reads_back_every_float_exactly(rows, separator):
    lines = [(separator or " ").join(map(repr, row)) for row in rows]
    values, end = read(lines, Dialect(separator, 3))
    assert np.array_equal(values, np.array(rows, np.float32))
    assert end == PieceEnd(len(rows), len(rows), sum(map(len, lines)), 0)


@given(st.lists(st.text(alphabet="0123456789.,;eE+- \tnaif_x\"'#\ufeff\u0663", max_size=12), max_size=8))
def test_parse_accepts_a_line_exactly_if_python_reads_three_finite_numbers(lines):
    def good(line):
        fields = line.split(",")
        try:
            numbers = [float(field) for field in fields]
        except ValueError:
            return False
        plain = line.isascii() and "_" not in line
        return len(numbers) == 3 and all(abs(n) <= np.finfo(np.float32).max for n in numbers) and plain

    _, end = read(lines, starts_file=False)
    filled = [number for number, line in enumerate(lines) if line.strip()]
    needed = lines[: filled[-1] + 1] if filled else []
    first_bad = next((number for number, line in enumerate(needed, 1) if not good(line)), None)
    assert (end.fault.line if end.fault else None) == first_bad


@pytest.mark.parametrize(
    ("line", "expected", "found"),
    [
        ("1,2", "3 values separated by commas", "2 values"),
        ("1,2,3,4", "3 values separated by commas", "4 values"),
        ("1,2,3,", "3 values separated by commas", "4 values"),
        ("7", "3 values separated by commas", "1 value"),
        ("1;2;3", "3 values separated by commas", "1 value"),
        ("1,x,3", "a number as value 2 of 3", "'x'"),
        ("1,,3", "a number as value 2 of 3", "nothing"),
        ("1,2,0x10", "a number as value 3 of 3", "'0x10'"),
        ("1,2,1_000", "a number as value 3 of 3", "'1_000'"),
        ("nan,2,3", "a finite number as value 1 of 3", "'nan'"),
        ("1,-Infinity,3", "a finite number as value 2 of 3", "'-Infinity'"),
        ("1,2,1e39", "a number within float32 as value 3 of 3", "'1e39'"),
        ("1,2,\x00", "a number as value 3 of 3", r"'\x00'"),
    ],
)
def test_parse_error_has_line_expected_and_found(line, expected, found):
    _, end = read(["1,2,3"] * 5 + [line] + ["9,9"])
    assert end.fault[:3] == (6, expected, found)
    assert end.lines == 7 and end.rows == 5 and end.bytes == 5 * 5 + len(line.encode()) + 3


@pytest.mark.parametrize("odd", ["1.5,2,3", "1e2,2,3", "1,2,2147483648", "1,2,-99999999999999999999"])
def test_parse_reads_a_float_or_a_large_number_among_integers(odd):
    values, end = read(["1,2,3", odd, "4,5,6"])
    assert end.fault is None
    assert (
        values.tolist()
        == np.array([[1, 2, 3], list(map(float, odd.split(","))), [4, 5, 6]], np.float32).tolist()
    )


@pytest.mark.parametrize("separator", [",", ";", "\t", None])
def test_parse_counts_the_values_of_a_row_that_is_too_long_or_too_short(separator):
    dialect = Dialect(separator, 3)
    for count in (1, 2, 4, 5000):
        line = (separator or "  ").join(count * ["10"])
        _, end = read(["1 2 3".replace(" ", separator or " "), f" {line} "], dialect)
        assert end.fault.line == 2 and end.fault.found == f"{count} value{'s' if count > 1 else ''}"


def test_parse_reads_integers_as_int32():
    assert csv.to_array([b"1,2,3", b"-4,5,+6"], COMMAS).dtype == np.int32


def test_parse_finds_an_error_after_the_first_chunk():
    lines = ["1,2,3"] * (csv.CHUNK_ROWS + 9) + ["1,2"] + ["oops"] * csv.CHUNK_ROWS
    values, end = read(lines)
    assert end.fault.line == csv.CHUNK_ROWS + 10
    assert len(values) == csv.CHUNK_ROWS + 9
    assert (end.lines, end.bytes) == (len(lines), sum(map(len, lines)))


def test_parse_skips_a_header_only_at_the_start_of_a_file():
    assert read(["a,b,c", "1,2,3"])[1] == PieceEnd(2, 1, 10, 0)
    assert read(["a,b,c", "1,2,3"], starts_file=False)[1].fault.line == 1


def test_parse_treats_a_first_line_with_one_bad_value_as_a_row():
    assert read(["1,b,3", "1,2,3"])[1].fault[:3] == (1, "a number as value 2 of 3", "'b'")
    assert read(["nan,nan,nan", "1,2,3"])[1].fault.line == 1


def test_parse_drops_carriage_returns_and_a_byte_order_mark():
    values, end = read(["\ufeff1,2,3\r", "4,5,6\r"])
    assert values.tolist() == [[1, 2, 3], [4, 5, 6]] and end.fault is None


def test_parse_accepts_blank_lines_at_the_end_of_a_piece_only():
    assert read(["1,2,3", "", "  "])[1] == PieceEnd(3, 1, 7, 2)
    assert read(["1,2,3", "", "4,5,6"])[1].fault == LineError(
        2, "3 values separated by commas", "an empty line"
    )
    long = ["1,2,3"] * (csv.CHUNK_ROWS - 1)
    assert read([*long, "", "4,5,6"])[1].fault.line == csv.CHUNK_ROWS
    assert read([*long, "", ""])[1].blank == csv.CHUNK_ROWS


def test_parse_consumes_all_lines_also_after_an_error():
    lines = iter([b"x,1,2"] + [b"1,2,3"] * 5000)
    list(csv.parse(lines, COMMAS))
    assert next(lines, None) is None


@pytest.mark.parametrize("byte", [b"\xa0", b"\x85", b"\xff"])
@pytest.mark.parametrize(
    "numbers", [b"1 ,2", b"1.5 ,2.5", b"0.50000000000000000e+00 ,1.000000000000000000e+00"]
)
def test_parse_accepts_only_ascii_whitespace(byte, numbers):
    whole = [numbers] * 40
    bad = [*whole[:-1], numbers.replace(b" ", byte)]  # as wide as the others, which has a reader of its own
    ends = [list(csv.parse(iter(lines), COMMAS._replace(width=2)))[-1] for lines in (whole, bad)]
    assert ends[0].fault is None
    fault = ends[1].fault
    assert fault.line == 40 and "\\ufffd" in fault.found


def test_parse_limits_the_bytes_of_a_chunk(monkeypatch):
    monkeypatch.setattr(csv, "CHUNK_TEXT", 100)
    lines = [b"1"] * 30 + [b" " * 60 + b"2"] * 5 + [b"3"] * 30
    taken_chunks = []
    whole = csv.next_lines

    def watched(lines, most):
        taken_chunks.append(whole(lines, most))
        return taken_chunks[-1]

    monkeypatch.setattr(csv, "next_lines", watched)
    *chunks, end = csv.parse(iter(lines), Dialect(None, 1))
    assert (
        np.concatenate([chunk.values for chunk in chunks]).ravel().tolist() == [1] * 30 + [2] * 5 + [3] * 30
    )
    assert end.rows == 65 and end.fault is None and len(chunks) == 3
    assert max(sum(map(len, taken)) for taken in taken_chunks) < 100 + 61
    assert [chunk.start for chunk in chunks] == [chunk.line - 1 for chunk in chunks]


def test_parse_uses_smaller_chunks_for_wide_rows():
    wide = Dialect(",", csv.CHUNK_BYTES // 40)
    line = b",".join([b"1"] * wide.width)
    sizes = [len(part.values) for part in csv.parse(iter([line] * 25), wide) if isinstance(part, Chunk)]
    assert sizes == [10, 10, 5]


def test_parse_leaves_out_lines_to_skip_and_counts_them():
    dialect = COMMAS._replace(skip=2)
    lines = ["made by me", "1,2", "a,b,c", "1,2,3", "4,5,x"]
    values, end = read(lines, dialect)
    assert values.tolist() == [[1, 2, 3]] and end.fault[:2] == (5, "a number as value 3 of 3")
    assert (end.lines, end.bytes) == (5, sum(map(len, lines)))
    assert read(lines[:1], dialect)[1] == PieceEnd(1, 0, 10, 0)
    assert read(["1,2,3"] * 3, dialect, starts_file=False)[1].rows == 3


def test_parse_reads_the_first_line_as_the_dialect_says():
    for header, first, rows in (("yes", "1,2,3", 1), ("no", "1,2,3", 2), ("auto", "0,1,2", 2)):
        assert read([first, "4,5,6"], COMMAS._replace(header=header))[1].rows == rows
    assert read(["0,1,2", "4,5,6"], COMMAS._replace(numbered=True))[1].rows == 1
    assert read(["a,b,c", "4,5,6"], COMMAS._replace(header="no"))[1].fault.line == 1


def test_parse_treats_a_line_of_words_as_a_header_only_if_it_has_the_width_of_the_rows():
    assert read(["a,b", "1,2,3"])[1].fault[:3] == (1, "3 values separated by commas", "2 values")
    assert read(["224|161|029", "1,2,3"])[1].fault.line == 1


def test_a_first_line_that_is_not_a_row_gets_the_hint_of_its_dialect():
    dialect = COMMAS._replace(hint="leave it out")
    assert read(["x,1,2", "1,2,3"], dialect)[1].fault.hint == "leave it out"
    assert read(["1,2,3", "x,1,2"], dialect)[1].fault.hint != "leave it out"


@pytest.mark.filterwarnings("error")
def test_blank_lines_give_no_warnings():
    assert csv.to_array([b"  "], COMMAS)[:3] == (1, "3 values separated by commas", "an empty line")
    assert csv.fault_of("", COMMAS).found == "an empty line"


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([0, 255], np.uint8), ([0, 256], np.float32), ([-1, 3], np.float32), ([0.5, 1], np.float32)],
)
def test_compact_gives_uint8_only_if_it_is_exact(values, dtype):
    values = np.array([values], np.float32)
    small = csv.compact(values)
    assert small.dtype == dtype and np.array_equal(small, values)


def test_to_labels_reads_class_numbers_and_one_hot_rows():
    assert csv.to_labels(np.array([[3.0], [0.0]])).tolist() == [3, 0]
    assert csv.to_labels(np.array([[0, 0, 1.0], [1, 0, 0]])).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ([2.5], "2.5"),
        ([-1], "-1"),
        ([csv.MAX_CLASSES], "1000"),
        ([0, 1, 1], "2 ones and 0 values other than 0 and 1"),
        ([0, 0, 0], "0 ones and 0 values other than 0 and 1"),
        ([0, 1, 0.5], "1 ones and 1 values other than 0 and 1"),
    ],
)
def test_to_labels_names_the_first_bad_row(row, found):
    good = [0.0] * len(row)
    good[-1] = 1.0
    fault = csv.to_labels(np.array([good, row, row], np.float32), first_line=10)
    assert fault.line == 11 and fault.found == found


def test_to_weights_names_the_first_bad_weight():
    assert csv.to_weights(np.array([0.0, 0.5, 1e9])).tolist() == [0.0, 0.5, 1e9]
    for bad in (-0.5, 1e10):
        fault = csv.to_weights(np.array([1.0, bad, -1.0]), first_line=7)
        assert fault == csv.LineError(8, "a row weight from 0 to 1e+09", f"{bad:g}")


@pytest.mark.parametrize("label", [2.0**24, -(2.0**24), 20240102.0])
def test_whole_labels_that_float32_may_have_rounded_are_left_to_the_reader_of_csv(label):
    fault = csv.to_whole_labels(np.array([[2.0**24 - 1], [label]], np.float32), first_line=3)
    assert fault.line == 4 and fault.in_cell and fault.found == f"{label:.0f}"
    assert not csv.to_whole_labels(np.array([[-1.0], [0.5]], np.float32)).in_cell
    of_test_set = LabelReader(classes=2, values=(5, int(label)) if label > 0 else (int(label), 5))
    assert of_test_set.read(np.array([[label]], np.float32), 1).in_cell
    assert LabelReader(classes=2, values=(-1, 2**24 - 1)).read(np.array([[2.0**24 - 1]]), 1).tolist() == [1]

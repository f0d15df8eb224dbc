"""The fixed-width reader gives the same as parsing every number, or returns None."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data import csv
from nn.data.csv import Chunk, Dialect
from nn.data.fixed_width import CellReader

BLANKS = Dialect(None, 4)


def saved(values):
    """The lines that np.savetxt writes: 24 characters a value, 25 for a negative one."""
    buffer = io.StringIO()
    np.savetxt(buffer, values)
    return buffer.getvalue().encode().splitlines()


def reader():
    return CellReader(csv._finite)


@given(
    st.lists(
        st.lists(st.floats(0, 1e300, allow_subnormal=False), min_size=4, max_size=4), min_size=1, max_size=30
    )
)
def test_cells_agree_with_float(rows):
    rows = np.minimum(np.array(rows), 3e38)
    lines = [line for line in saved(rows) if len(line) == 99]  # an exponent of three digits is wider
    if lines:
        expected = np.array([[np.float32(float(field)) for field in line.split()] for line in lines])
        assert np.array_equal(reader().read(lines, None, 4), expected)


def test_cells_remember_texts_from_chunk_to_chunk():
    cells = reader()
    values = np.arange(256).reshape(64, 4) / 255
    for _ in range(3):
        assert np.array_equal(cells.read(saved(values), None, 4), values.astype(np.float32))
    assert len(cells.known) == 256


def test_cells_choose_another_hash_after_a_collision(monkeypatch):
    monkeypatch.setattr("nn.data.fixed_width._TABLE_BITS", 10)  # 60 strings in 1,024 places: some will meet
    cells = reader()
    values = np.arange(60).reshape(15, 4) / 255
    assert np.array_equal(cells.read(saved(values), None, 4), values.astype(np.float32))
    assert cells._hash > 0
    assert np.array_equal(cells.read(saved(values[::-1]), None, 4), values[::-1].astype(np.float32))


@pytest.mark.parametrize(
    "lines",
    [
        ["0.1 0.2 0.3 0.4", "0.1 0.2 0.3 0.45"],
        ["0.1 0.2 0.3 0.4", "0.1,0.2 0.3 0.4"],
        ["0.1 0.2 0.3 0.4", "0.1 0.2 oops0.4"],
        ["0.1 0.2 nan 0.4"],
        ["0.1 0.2 0.3 0.\u0664"],
        ["1e39 2.25 3.25 4.25"],
    ],
)
def test_cells_refuse_rows_of_varying_width(lines):
    assert reader().read([line.encode() for line in lines], None, 4) is None


def test_cells_give_up_on_many_distinct_numbers():
    cells = reader()
    lines = saved(np.random.default_rng(0).random((1000, 4)))
    assert cells.read(lines, None, 4) is None and not cells.useful
    assert cells.read(saved(np.zeros((3, 4))), None, 4) is None


def test_parse_gives_the_same_with_cells():
    values = np.random.default_rng(1).integers(0, 256, (300, 4)) / 255
    chunks = [part for part in csv.parse(iter(saved(values)), BLANKS) if isinstance(part, Chunk)]
    assert np.array_equal(np.concatenate([c.values for c in chunks]), values.astype(np.float32))
    lines = saved(values)
    lines[200] = lines[200][:-1] + b"x"
    *_, end = csv.parse(iter(lines), BLANKS)
    assert end.fault.line == 201 and end.fault.expected == "a number as value 4 of 4"

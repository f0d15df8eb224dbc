"""Notes on columns that are probably a mistake, none on images and ordinary tables."""

import numpy as np
import pytest

from nn.data import checks, csv


def notes(values, pieces=(), partitions=1, numbers=None):
    """Of a table cut into pieces before these rows, each of them into blocks of 7 rows."""
    values = np.asarray(values, np.float32)
    parts = np.split(values, pieces)
    seen, offsets = [], [0]
    for part in parts:
        whole = None
        for start in range(0, len(part), 7):
            summary = checks.summarize(csv.compact(part[start : start + 7]), start)
            whole = summary if whole is None else whole + summary
        seen.append(whole)
        offsets.append(offsets[-1] + len(part))
    numbers = np.arange(values.shape[1]) if numbers is None else np.asarray(numbers)
    return checks.notes(seen, offsets, numbers, partitions, "X")


@pytest.fixture
def table(rng):
    return rng.integers(0, 256, (60, 5)).astype(float)


@pytest.mark.parametrize("pieces", [(), (20,), (1, 2, 30), (0, 59), (10, 10)])
@pytest.mark.parametrize("start", [0, 1, 500, -3])
def test_a_row_index_is_noted(table, pieces, start):
    table[:, 2] = start + np.arange(60)
    summary = notes(table, pieces, numbers=[1, 2, 4, 5, 6])
    assert len(summary) == 1
    assert summary[0].startswith(f"X: column 4 counts the rows ({start}, {start + 1}, {start + 2}, ...)")


@pytest.mark.parametrize("row", [1, 7, 30, 59])
def test_a_column_with_a_missing_value_is_not_a_row_index(table, row):
    table[:, 2] = np.arange(60)
    table[row:, 2] += 1
    assert notes(table, (20, 30)) == []


def test_a_column_that_restarts_in_each_piece_is_not_a_row_index(table):
    table[:, 2] = np.tile(np.arange(30), 2)
    assert notes(table, (30,)) == []


def test_a_few_rows_have_no_row_index():
    assert notes(np.arange(9)[:, None]) == []
    assert len(notes(np.arange(10)[:, None])) == 1


def test_columns_of_different_sizes_are_noted(table):
    table[:, 1] = np.linspace(0, 0.25, 60)
    assert len(notes(table)) == 1  # 255 against 0.25
    assert "column 0" not in notes(table)[0] or "column 1 only to 0.25" in notes(table)[0]
    table[:, 3] = 0  # a column of zeros has no size
    assert len(notes(table)) == 1
    table[:, 1] = np.linspace(0, 0.3, 60)
    assert notes(table) == []


def test_sizes_are_those_of_all_pieces(table):
    table[:, 1] /= 1000
    table[-1, 1] = -1
    assert notes(table, (30,)) == []


@pytest.mark.filterwarnings("error")
def test_sizes_near_the_largest_of_float32_are_compared(table):
    table[:] = 3e38
    assert not any("--scale standard" in note for note in notes(table.astype(np.float32)))


def test_values_that_float32_rounds_are_noted(table):
    table[:, 1] = 1.7e9 + 1000.0 * np.arange(60)
    summary = [note for note in notes(table) if "float32" in note]
    assert len(summary) == 1 and "column 1" in summary[0] and "one number in 128" in summary[0]
    table[:, 1] = 1.7e9 + np.arange(60)  # a minute, which float32 takes for one number
    summary = [note for note in notes(table) if "float32" in note]
    assert len(summary) == 1 and "column 1 are all read as 1700000000, where" in summary[0]


def test_large_numbers_from_zero_are_not_noted(table):
    table[:, 1] = np.linspace(0, 1.7e9, 60)
    assert not [note for note in notes(table) if "float32" in note]


def test_more_partitions_than_rows_are_noted(table):
    assert notes(table, partitions=60) == []
    assert notes(table, partitions=1000) == [
        "X: 60 rows in 1,000 partitions: most tasks have no rows; take fewer --partitions"
    ]


def test_images_are_not_noted(rng):
    assert notes(rng.integers(0, 256, (60, 784)), (20,)) == []
    assert notes(rng.integers(0, 256, (60, 784)) / 255, (20,)) == []

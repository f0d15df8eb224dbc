"""An encoder turns columns into inputs: its formula, missing values, unknown categories, JSON, and what it refuses."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data.encoding import UNKNOWN, Category, Number, SharedScale, TableEncoder, encoder_from_config
from nn.data.schema import (
    ColumnSchema,
    Encoding,
    categories_of,
    encoder_for,
    pack_categories,
    pack_numbers,
)
from nn.data.statistics import column_statistics

AGE = Number("age", center=40.0, scale=10.0, fill=40.0, indicator=True)
COLOR = Category("color", ("blue", "red"), other=True, fill=True)
WEIGHT = Number("weight", scale=2.0)


def test_encoder_gives_scaled_numbers_and_one_hot_categories_in_the_order_of_the_columns():
    encoder = TableEncoder((AGE, COLOR, WEIGHT))
    rows = np.array([[50, 1, 4], [np.nan, 0, 6], [40, UNKNOWN, 0], [30, np.nan, 2]], np.float32)
    assert encoder.width == 6
    assert encoder.encode(rows).tolist() == [
        [1, 0, 0, 1, 0, 2],
        [0, 1, 1, 0, 0, 3],
        [0, 0, 0, 0, 1, 0],
        [-1, 0, 0, 0, 0, 1],
    ]
    assert encoder.encode(rows).dtype == np.float32


def test_encoder_of_numbers_alone_is_the_formula(rng):
    columns = tuple(Number(str(i), center=float(i), scale=i + 1.0, fill=0.5) for i in range(5))
    rows = rng.normal(size=(20, 5)).astype(np.float32)
    expected = (rows - np.arange(5, dtype=np.float32)) / (np.arange(5) + 1)
    assert np.allclose(TableEncoder(columns).encode(rows), expected, atol=1e-6)
    rows[3, 2] = np.nan
    assert TableEncoder(columns).encode(rows)[3, 2] == np.float32(0.5 - 2) / 3


def test_encoder_encodes_a_row_alone_as_among_others(rng):
    encoder = TableEncoder((AGE, COLOR, WEIGHT))
    rows = np.stack([rng.normal(size=9), rng.integers(-1, 2, 9), rng.normal(size=9)], 1).astype(np.float32)
    assert np.array_equal(np.concatenate([encoder.encode(rows[[i]]) for i in range(9)]), encoder.encode(rows))


def test_encoder_does_not_change_the_rows(rng):
    rows = rng.normal(size=(4, 2)).astype(np.float32)
    before = rows.copy()
    TableEncoder((WEIGHT, WEIGHT)).encode(rows)
    assert np.array_equal(rows, before)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1, 0, np.nan], "column 'weight': expected a value, found a missing value in row 1 and 1 more"),
        ([1, np.nan, 2], "column 'size': expected a value, found a missing value in row 1 and 1 more"),
        ([1, UNKNOWN, 2], "column 'size': expected one of 'L', 'S', found another in row 1"),
    ],
)
def test_encoder_refuses_missing_values_and_unknown_categories_unless_they_are_allowed(row, message):
    encoder = TableEncoder((AGE, Category("size", ("L", "S"), other=False), WEIGHT))
    with pytest.raises(ValueError, match=message):
        encoder.encode(np.array([[1, 0, 2], row, row], np.float32))


def test_encoder_refuses_rows_of_another_width():
    with pytest.raises(ValueError, match=r"expected rows of 1 values, got an array of shape \(2, 3\)"):
        TableEncoder((WEIGHT,)).encode(np.zeros((2, 3)))


@given(
    st.lists(
        st.one_of(
            st.builds(
                Number,
                st.text(max_size=5),
                st.floats(-1e9, 1e9),
                st.floats(-9, 9),
                st.floats(0.1, 9),
                st.none() | st.floats(-1, 1),
                st.booleans(),
            ),
            st.builds(
                Category,
                st.text(max_size=5),
                st.lists(st.text(max_size=3), min_size=1, max_size=4, unique=True).map(tuple),
                st.booleans(),
                st.booleans(),
                st.booleans(),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_encoder_is_the_same_after_json(columns):
    encoder = TableEncoder(tuple(columns))
    assert encoder_from_config(json.loads(json.dumps(encoder.config()))) == encoder


NUMBER = {
    "kind": "number",
    "name": "a",
    "offset": 0,
    "center": 0,
    "scale": 1,
    "fill": None,
    "indicator": False,
}

CATEGORY = {"kind": "category", "name": "a", "values": ["b"], "other": True, "fill": True, "indicator": True}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "expected its columns"),
        ({"columns": 3}, "expected its columns"),
        ({"columns": []}, "expected columns that give 1 to 1,048,576 inputs, found 0"),
        ({"columns": [{"kind": "date"}]}, "expected a column of a kind in number, category"),
        ({"columns": [{**NUMBER, "more": 1}]}, "expected the fields of a number"),
        ({"columns": [{**NUMBER, "scale": 0}]}, "Number scale must be a finite number of at least 2.9"),
        ({"columns": [{**NUMBER, "scale": True}]}, "Number scale must be"),
        ({"columns": [{**NUMBER, "center": float("nan")}]}, "Number center must be a number in"),
        ({"columns": [{**NUMBER, "indicator": 1}]}, "expected true or false for indicator"),
        ({"columns": [{**NUMBER, "name": 3}]}, "expected the fields of a number"),
        (
            {"columns": [{**CATEGORY, "values": "ab"}]},
            "expected a list of values",
        ),
        (
            {"columns": [{**CATEGORY, "values": ["b", "b"]}]},
            "expected distinct names",
        ),
    ],
)  # fmt: skip
def test_encoder_refuses_a_description_that_is_not_one(config, message):
    with pytest.raises(ValueError, match=message):
        encoder_from_config(config)


def test_shared_scale_keeps_the_operations_of_version_0_1():
    pixels = np.arange(256, dtype=np.uint8).reshape(4, 64)
    expected = pixels.astype(np.float32) * np.float32(1 / 255.0)
    assert np.array_equal(SharedScale(255.0).encode(pixels), expected)
    for scale in (0, -1, np.inf, True, "1"):
        with pytest.raises(ValueError, match="SharedScale scale must be a finite number above 0"):
            SharedScale(scale)


# ---- from statistics to an encoder ----

ROWS = np.array([[1, 5, 0], [3, 5, 1], [np.nan, 5, 1]], np.float32)
COLUMNS = (ColumnSchema("a"), ColumnSchema("b"), ColumnSchema("c", ("x", "y")))


def encoded(rows=ROWS, columns=COLUMNS, **options):
    return encoder_for(columns, column_statistics(rows), Encoding(**options)).encode(rows).tolist()


def test_encoder_for_standard_scale_centers_each_column_and_makes_constants_0():
    assert encoded(missing="mean") == [[-1, 0, 1, 0, 0], [1, 0, 0, 1, 0], [0, 0, 0, 1, 0]]


def test_encoder_for_minmax_goes_from_0_to_1():
    assert encoded(scale="minmax", missing="zero") == [[0, 0, 1, 0, 0], [1, 0, 0, 1, 0], [-0.5, 0, 0, 1, 0]]


def test_encoder_for_largest_divides_all_numbers_by_one():
    assert np.allclose(encoded(scale="largest", missing="zero")[0], [0.2, 1, 1, 0, 0])


def test_encoder_for_no_scale_and_an_indicator():
    assert encoded(scale="none", missing="indicator", unknown="error") == [
        [1, 0, 5, 1, 0],
        [3, 0, 5, 0, 1],
        [2, 1, 5, 0, 1],
    ]


def test_encoder_for_one_scale_of_numbers_is_a_shared_scale():
    rows = np.array([[1, -8], [3, 5]], np.float32)
    encoder = encoder_for(COLUMNS[:2], column_statistics(rows), Encoding("largest"))
    assert encoder == SharedScale(8.0, ("a", "b"))


def test_encoder_for_a_large_constant_gives_0_and_for_a_column_of_missing_values_too():
    rows = np.array([[16777217.0, np.nan], [16777217.0, np.nan]], np.float32)
    assert encoded(rows, COLUMNS[:2], missing="mean") == [[0, 0], [0, 0]]


def test_an_offset_keeps_the_digits_of_large_numbers():
    seconds = 1_700_000_000.0 + np.arange(5)
    packed = pack_numbers(seconds, seconds[0])[:, None]
    columns = (ColumnSchema("time", offset=seconds[0]),)
    x = encoder_for(columns, column_statistics(packed), Encoding()).encode(packed)[:, 0]
    assert np.allclose(x, (np.arange(5) - 2) / np.sqrt(2), atol=1e-6)


def test_categories_beyond_the_cap_are_the_rare_ones():
    counts = {"b": 3, "a": 1, "c": 3, "d": 2}
    assert categories_of(counts, 4) == (("a", "b", "c", "d"), False)
    assert categories_of(counts, 2) == (("b", "c"), True)
    assert categories_of({"b": 1, "a": 1}, 1) == (("a",), True)


def test_codes_of_categories():
    codes = pack_categories(np.array(["b", None, "a", "z"], object), ("a", "b"))
    assert codes.dtype == np.float32 and codes.tolist()[::2] == [1, 0]
    assert np.isnan(codes[1]) and codes[3] == UNKNOWN


def test_a_category_of_no_inputs_leaves_those_of_numbers_in_their_place():
    encoder = TableEncoder((Category("c", (), other=False, fill=True), Number("x", scale=2.0)))
    assert encoder.encode(np.array([[np.nan, 4]], np.float32)).tolist() == [[2]]


def test_a_column_of_tiny_numbers_is_a_constant():
    (column,) = encoder_for(
        [ColumnSchema("x")], column_statistics(np.array([[1e-40], [2e-40]])), Encoding()
    ).columns
    assert column.scale == 1.0


@pytest.mark.parametrize("bad", [{"offset": 1e31}, {"center": 1e39}, {"fill": -1e39}, {"scale": 1e-40}])
def test_numbers_that_float32_cannot_hold_are_refused(bad):
    with pytest.raises(ValueError, match=f"Number {next(iter(bad))} must be"):
        Number("x", **bad)

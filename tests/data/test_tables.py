"""Tables in Python: every kind of table gives the same block, and what is wrong with one is said by column and row."""

import datetime
import decimal

import numpy as np
import pytest

from nn.data.encoding import Category, Number, SharedScale, TableEncoder
from nn.data.schema import ColumnSchema
from nn.data.tables import columns_of, pack, pack_for, schema_of

COLUMNS = {
    "age": [30.0, None, 50.0],
    "color": ["red", "blue", None],
    "member": [True, False, True],
    "zip": [3, 10, 3],
    "since": [1_700_000_000, 1_700_000_001, 1_700_000_005],
}
STRUCTURED = np.array(
    [(30.0, "red", True, 3, 1_700_000_000), (np.nan, "blue", False, 10, 1_700_000_001)],
    [("age", float), ("color", "U4"), ("member", bool), ("zip", int), ("since", np.int64)],
)


def pandas():
    return pytest.importorskip("pandas").DataFrame(COLUMNS)


def nullable():
    return pandas().convert_dtypes()


def arrow():
    return pytest.importorskip("pyarrow").table(COLUMNS)


@pytest.mark.parametrize(
    "make", [lambda: COLUMNS, pandas, nullable, arrow], ids=["dict", "pandas", "nullable", "arrow"]
)
def test_every_kind_of_table_gives_the_same_block(make):
    columns = columns_of(make())
    schema = schema_of(columns, ["zip"], 10, offsets=True)
    assert schema == (
        ColumnSchema("age"),
        ColumnSchema("color", ("blue", "red")),
        ColumnSchema("member"),
        ColumnSchema("zip", ("10", "3")),
        ColumnSchema("since", offset=1_700_000_000.0),
    )
    nan = np.nan
    expected = [[30, 1, 1, 1, 0], [nan, 0, 0, 0, 1], [50, nan, 1, 1, 5]]
    assert np.array_equal(pack(schema, columns), np.array(expected, np.float32), equal_nan=True)


def test_structured_arrays_are_tables():
    columns = columns_of(STRUCTURED)
    packed = pack(schema_of(columns, (), 10, offsets=False), columns)
    assert packed[0].tolist() == [30, 1, 1, 3, 1.7e9] and np.isnan(packed[1, 0])


def test_arrays_of_numbers_are_no_tables():
    assert columns_of(np.zeros((2, 3))) is None and columns_of([[1, 2]]) is None


ENCODER = TableEncoder((Number("b", offset=10.0), Category("a", ("x", "y"))))


def test_columns_are_taken_by_name_in_any_order_and_others_left_out():
    table = {"a": ["y", "z"], "more": [0, 0], "b": [11, 12]}
    assert pack_for(ENCODER, table).tolist() == [[1, 1], [2, -1]]
    assert pack_for(SharedScale(2.0, ("b",)), table).tolist() == [[11], [12]]


def test_rows_of_values_are_taken_by_position():
    assert pack_for(ENCODER, [[11, "x"], [12, "y"]]).tolist() == [[1, 0], [2, 1]]
    assert pack_for(SharedScale(), np.zeros((1, 2))) is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"b": [1]}, "expected the columns 'a' too; the table has 'b'"),
        ({"a": ["x"], "b": ["?"]}, "column 'b': expected numbers, found '\\?' in row 0"),
        (
            {"a": ["x"] * 2, "b": [1, np.inf]},
            "column 'b': expected finite numbers within float32, found inf in row 1",
        ),
        ({"a": ["x"], "b": [1, 2]}, "expected columns of one length each"),
        ([[1, 2, 3]], r"expected rows \(n, 2\) of the columns b, a, found an array of shape \(1, 3\)"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_its_column(table, message):
    with pytest.raises(ValueError, match=message):
        pack_for(ENCODER, table)


def test_a_model_without_names_asks_for_an_array():
    with pytest.raises(ValueError, match="knows no names of columns"):
        pack_for(SharedScale(), {"a": [1]})


def test_dates_are_refused_with_what_to_do():
    columns = columns_of({"day": np.array(["2024-01-01"], "datetime64[D]")})
    with pytest.raises(
        ValueError, match="column 'day': expected numbers or categories, found dates or times; write"
    ):
        schema_of(columns, (), 10, False)
    columns = columns_of({"day": [datetime.date(2024, 1, 1)]})
    with pytest.raises(
        ValueError, match="column 'day': expected numbers or categories, found dates or times; write"
    ):
        schema_of(columns, (), 10, False)


@pytest.mark.parametrize("value", [[], {}, (), [1, 2], np.zeros(2)])
def test_values_of_several_parts_are_refused_empty_ones_too(value):
    column = np.empty(2, object)
    column[0], column[1] = value, "a"
    with pytest.raises(ValueError, match="column 'parts': expected numbers or categories, found a [a-z]+"):
        schema_of({"parts": column}, (), 10, False)


@pytest.mark.parametrize(
    "days", [np.array(["2024-01-01"], "datetime64[D]"), np.array([datetime.timedelta(1)], object)]
)
def test_dates_are_refused_as_values_of_a_column_that_was_learned(days):
    for table in ({"a": ["x"], "b": days}, {"a": np.array(["2024-01-01"], "datetime64[D]"), "b": [1]}):
        with pytest.raises(
            ValueError, match="column '[ab]': expected numbers or categories, found dates or times"
        ):
            pack_for(ENCODER, table)


def test_one_value_in_the_place_of_a_column_is_refused_by_its_name():
    with pytest.raises(
        ValueError, match="column 'b': expected a list of values, one for each row, found one value"
    ):
        pack_for(ENCODER, {"a": ["x"], "b": 5})


def test_none_of_the_containers_loses_a_missing_value_or_makes_a_text_of_a_number():
    pd, pa = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    columns = columns_of(
        {
            "list": ["a", float("nan"), 1],
            "flags": [True, float("nan"), False],
            "masked": np.ma.array([1, 2, 3], mask=[False, True, False]),
            "series": pd.Series([1, None, 3], dtype="Int64"),
            "arrow": pa.array(["x", None, "y"]).dictionary_encode(),
            "codes": pa.array([5, None, 7]).dictionary_encode(),
            "objects": np.array([pd.NA, decimal.Decimal("1.5"), None], object),
            "bytes": [b"x", None, b"y"],
        }
    )
    schema = schema_of(columns, ["flags"], 10, offsets=False)
    values = [column.values for column in schema]
    assert values == [("1", "a"), ("false", "true"), None, None, ("x", "y"), None, None, ("x", "y")]
    missing_value = np.nan
    expected = [
        [1, 1, 1, 1, 0, 5, missing_value, 0],
        [
            missing_value,
            missing_value,
            missing_value,
            missing_value,
            missing_value,
            missing_value,
            1.5,
            missing_value,
        ],
        [0, 0, 3, 3, 1, 7, missing_value, 1],
    ]
    assert np.array_equal(pack(schema, columns), np.array(expected, np.float32), equal_nan=True)


def test_values_of_several_parts_are_no_categories():
    column = np.empty(2, object)
    column[:] = [(1, 2), "a"]
    with pytest.raises(ValueError, match="column 'x': expected numbers or categories, found a tuple"):
        schema_of({"x": column}, (), 10, offsets=False)


@pytest.mark.parametrize("day", [datetime.date(2024, 1, 1), np.datetime64("2024-01-01")])
def test_dates_are_refused_wherever_they_stand_and_in_predictions(day):
    columns = columns_of({"x": [*["a"] * 200, day]})
    with pytest.raises(ValueError, match="column 'x': expected numbers or categories, found dates"):
        schema_of(columns, (), 10, offsets=False)
    for schema in (ColumnSchema("x"), ColumnSchema("x", ("a",))):
        with pytest.raises(ValueError, match="found dates"):
            pack([schema], {"x": np.array([day], "M8[D]")})


def test_a_whole_number_of_too_many_digits_is_no_number():
    with pytest.raises(ValueError, match="column 'x': expected numbers, found '1000"):
        schema_of(columns_of({"x": [1, 10**400]}), (), 10, offsets=False)


def test_numbers_so_large_that_a_difference_is_not_within_float32_have_no_offset():
    columns = columns_of({"x": [3e38, -3e38]})
    schema = schema_of(columns, (), 10, offsets=True)
    assert schema[0].offset == 0 and pack(schema, columns)[:, 0].tolist() == [
        np.float32(3e38),
        np.float32(-3e38),
    ]


def test_a_table_does_not_say_which_of_two_columns_of_one_name_is_meant():
    with pytest.raises(ValueError, match="several columns of one name: give an array"):
        pack([ColumnSchema("x"), ColumnSchema("x")], {"x": np.zeros(1)})

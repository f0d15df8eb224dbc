"""References to columns: positions, names, patterns; and the columns of a test set, by name or by position."""

import pytest

from nn.core.errors import DataError
from nn.data.columns import ColumnList, ColumnReference, Columns, Roles, columns_of_test

NAMES = ("id", "pixel0", "pixel1", "a,b", "0", "label")


def of(*roles, names=NAMES, **more):
    return Columns.of(Roles(*roles, **more), names, len(names) or 6, "t.csv")


@pytest.mark.parametrize(
    ("word", "reference"), [("0", 0), ("-1", -1), ("label", "label"), ("name=0", "name=0"), ("1.5", "1.5")]
)
def test_a_word_is_a_position_or_a_name(word, reference):
    reader = ColumnReference()
    assert reader.text(word) == reference and reader.json(reader.plain(reference)) == reference


def test_a_list_is_divided_at_commas_that_are_no_part_of_a_name():
    reader = ColumnList()
    found = reader.text(r"id,pixel*,a\,b,-2")
    assert found == ("id", "pixel*", "a,b", -2)
    assert reader.json(reader.plain(found)) == found


@pytest.mark.parametrize("value", ["", "a,,b", [1.5], 3, [True]])
def test_a_list_refuses_what_is_no_column(value):
    with pytest.raises(ValueError, match="expected a"):
        ColumnList().json(value)


def test_references_are_resolved():
    assert of("label").inputs == (0, 1, 2, 3, 4) and of("label").label == 5
    assert of(-1, "name=0", 0) == Columns(6, (1, 2, 3), 5, 4, None, 0)
    assert of("label", features=("pixel*", "a,b")).inputs == (1, 2, 3)
    assert of("label", features=("*",), drop=("id", -2)).inputs == (1, 2, 3)
    assert of(5, names=()).inputs == (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("roles", "more", "message"),
    [
        (
            ("lable",),
            {},
            "--label-column: expected a column of t.csv, found 'lable'; did you mean 'label'?.* id, pix",
        ),
        (
            (6,),
            {},
            r"--label-column: expected a column in -6..5 and at least one more, found 6 with 6 values",
        ),
        ((5, "label"), {}, "--weight-column: expected another column than the label's, found label"),
        ((5,), {"drop": ("x*",)}, r"--drop-columns: expected a column of t.csv, found 'x\*'"),
        ((5,), {"features": ("label",)}, "--features: expected columns for inputs too"),
        ((5,), {"drop": ("*",)}, "--drop-columns: expected columns for inputs too"),
        (("a",), {"names": ()}, "--label-column: expected the number of a column, since t.csv has no header"),
        (
            ("a",),
            {"names": ("a", "b", "a")},
            "expected one column called 'a' in t.csv, found 2; give its number",
        ),
    ],
)
def test_what_cannot_be_resolved_is_told_in_one_line(roles, more, message):
    with pytest.raises(DataError, match=message) as caught:
        of(*roles, **more)
    assert "\n" not in str(caught.value)


def test_a_test_set_is_resolved_by_names_in_any_order():
    roles = Roles("label", "w")
    names = ("label", "a", "b", "w")
    train = Columns.of(roles, names, 4, "t.csv")
    assert columns_of_test(roles, train, names, ("b", "x", "a", "label"), 4, "z.csv") == Columns(4, (2, 0), 3)
    with pytest.raises(DataError, match="found none called 'b' in z.csv"):
        columns_of_test(roles, train, names, ("a", "label"), 2, "z.csv")
    with pytest.raises(DataError, match="the column 'label' .* has this file no labels"):
        columns_of_test(roles, train, names, ("a", "b"), 2, "z.csv")


@pytest.mark.parametrize(
    "roles", [Roles(0, 2), Roles(-1, 0), Roles(1, -1), Roles(0, 3, 1, 2), Roles(None, 1)]
)
def test_a_test_set_without_names_may_leave_out_what_only_training_needs(roles):
    width = 6
    train = Columns.of(roles, (), width, "t.csv")
    kept = [column for column in range(width) if column not in (train.weight, train.validation, train.id)]
    found = columns_of_test(roles, train, (), (), len(kept), "z.csv")
    assert [kept[column] for column in found.inputs] == list(train.inputs)
    assert found.label is None if train.label is None else kept[found.label] == train.label
    whole = columns_of_test(roles, train, (), (), width, "z.csv")
    assert whole.inputs == train.inputs and whole.label == train.label and whole.weight is None


def test_a_test_set_without_names_has_the_columns_of_the_training_set_if_its_width_allows_that():
    for roles, inputs in ((Roles(-1, id=0, drop=(3,)), (0, 1)), (Roles(-1, id=0, features=(1, 2)), (0, 1))):
        train = Columns.of(roles, (), 5, "t.csv")
        assert columns_of_test(roles, train, (), (), 4, "z.csv") == Columns(4, inputs, 3)
        assert columns_of_test(roles, train, (), (), 5, "z.csv") == Columns(5, (1, 2), 4)

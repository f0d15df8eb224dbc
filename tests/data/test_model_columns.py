"""The columns of a model in other tables: by name, as values of an array, or in their order."""

import pytest

from nn.core.errors import DataError
from nn.data.columns import Roles
from nn.data.model_columns import Group, Offered, by_name, find, groups_of, have_names, refuse_other_width


def test_values_of_an_array_are_one_column_of_the_table():
    names = ("a", "pixels[0]", "pixels[1]", "pixels[2]", "b", "c[0]")
    assert groups_of(names, ("a", "b", "pixels", "c")) == [
        Group("a"), Group("pixels", 3), Group("b"), Group("c"),
    ]  # fmt: skip
    assert groups_of(("x[0]", "x[1]"), ("x[1]", "x[0]")) == [Group("x[0]"), Group("x[1]")]


def test_names_are_looked_up_in_any_order():
    assert by_name(("a", "b"), ("b", "id", "a"), "INPUT: t") == (2, 0)
    assert by_name(("v[0]", "v[1]"), ("id", "v"), "INPUT: t") == (1,)


@pytest.mark.parametrize(("model", "table"), [((), ("a",)), (("0", "1"), ("a", "b")), (("a", "b"), ())])
def test_without_names_columns_are_taken_in_their_order(model, table):
    assert by_name(model, table, "INPUT: t") is None


def test_positions_are_no_names():
    assert not have_names(("0", "1", "12")) and not have_names(()) and have_names(("0", "age"))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (("b", "c"), "INPUT: t: expected the columns of the model, found none called 'a'; it has 'b', 'c'"),
        (("a", "b", "a"), "INPUT: t: expected one column called 'a', found several"),
    ],
)
def test_columns_that_are_missing_or_doubled_are_told(table, message):
    with pytest.raises(DataError) as error:
        by_name(("a", "b"), table, "INPUT: t")
    assert str(error.value) == message


def test_another_width_tells_the_columns_of_the_model():
    refuse_other_width(2, 2, ("a", "b"), "INPUT: t")
    with pytest.raises(
        DataError, match=r"expected 2 input values a row, as the model takes \('a', 'b'\), found 3"
    ):
        refuse_other_width(2, 3, ("a", "b"), "INPUT: t")
    with pytest.raises(DataError, match=r"expected 784 input values a row, as the model takes, found 785"):
        refuse_other_width(784, 785, (), "INPUT: t")


def test_columns_are_found_by_name_with_the_label_and_those_that_are_carried_along():
    offered = Offered("INPUT", "t", ("id", "v", "city", "b", "y"), (1, 2, 1, 1, 1))
    found = find(("b", "v[0]", "v[1]"), 3, offered, Roles("y", id="id", features=("city",)), ("city", "id"))
    assert found.columns.inputs == (3, 1) and found.columns.label == 4
    assert found.groups == (Group("b"), Group("v", 2))
    assert found.kept == (0, 2) and found.notes == ()


def test_columns_are_taken_in_their_order_without_those_that_are_carried_along():
    offered = Offered("INPUT", "t", (), (1, 1, 1, 1))
    found = find(("a", "b"), 2, offered, Roles(label=3), (1,))
    assert found.columns.inputs == (0, 2) and found.kept == (1,)
    assert found.notes == ("INPUT: t has no header: its columns are taken in the order of the model's",)
    assert find(("a", "b", "c"), 3, offered, Roles(label=3), (1,)).columns.inputs == (0, 1, 2)
    assert find((), 2, offered, Roles(features=(2, 0)), ()).columns.inputs == (0, 2)  # as training takes them
    with pytest.raises(DataError, match="expected 5 input values a row, as the model takes, found 4"):
        find((), 5, offered, Roles(), ())
    with pytest.raises(DataError, match="--keep: expected the number of a column, since t has no header"):
        find((), 4, offered, Roles(), ("city",))

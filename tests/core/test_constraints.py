"""Constraints: the values that they contain, their words, and the fields that they are declared for."""

import math
import sys
from dataclasses import dataclass, field, make_dataclass
from typing import Annotated

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.core.constraints import Interval, OneOf, check_fields, constraints_of
from nn.core.options import Number, option

CLOSED = ("left", "right", "both", "neither")


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(int), "a whole number"),
        (Interval(int, 1), "a whole number of at least 1"),
        (Interval(int, 1, 9), "a whole number from 1 to 9"),
        (Interval(int, 0, 10, "neither"), "a whole number from 1 to 9"),
        (Interval(float, 0), "a finite number of at least 0"),
        (Interval(float, 0, closed="neither"), "a finite number above 0"),
        (Interval(float, 0, 1, "left"), "a number in [0, 1)"),
        (Interval(float, 0, 1, "right"), "a number in (0, 1]"),
        (Interval(float, 0.5, 1000), "a number in [0.5, 1000]"),
        (Interval(float, 0, 1, "neither"), "a number in (0, 1)"),
        (OneOf(("valid", "same")), "one of valid, same"),
    ],
)
def test_a_constraint_names_its_values(interval, words):
    assert str(interval) == words


@pytest.mark.parametrize("closed", CLOSED)
def test_closed_names_the_ends_that_belong_to_an_interval(closed):
    interval = Interval(float, 0, 1, closed)
    assert 0.5 in interval and 1e-300 in interval
    assert (0 in interval) == (0.0 in interval) == (closed in ("left", "both"))
    assert (1 in interval) == (1.0 in interval) == (closed in ("right", "both"))
    assert -1e-300 not in interval and 1.0000000001 not in interval


@given(
    st.integers(-5, 5), st.integers(0, 5), st.sampled_from(CLOSED), st.floats(-12, 12) | st.integers(-12, 12)
)
def test_an_interval_contains_the_numbers_between_its_ends(low, length, closed, number):
    high = low + length
    inside = low < number < high or (number == low and closed in ("left", "both") and number <= high)
    inside = inside or (number == high and closed in ("right", "both") and number >= low)
    if low == high:
        inside = number == low and closed == "both"
    assert (number in Interval(float, low, high, closed)) == inside
    assert (number in Interval(int, low, high, closed)) == (inside and isinstance(number, int))


@pytest.mark.parametrize("kind", [int, float])
@pytest.mark.parametrize(
    "value",
    [True, False, math.nan, math.inf, -math.inf, 10**400, None, "1", (1,), np.int64(1), np.float32(1), 1j],
)
def test_no_interval_contains_what_is_no_number_of_the_machine(kind, value):
    assert value not in Interval(kind)


def test_the_largest_numbers_are_those_of_the_machine():
    assert sys.maxsize in Interval(int) and sys.maxsize + 1 not in Interval(int)
    assert sys.float_info.max in Interval(float, 0) and 10**308 in Interval(float, 0)
    assert 2 * 10**308 not in Interval(float, 0)


@pytest.mark.parametrize("value", ["full", "", None, 1, ["same"], True])
def test_a_choice_contains_its_names_alone(value):
    assert value not in OneOf(("valid", "same")) and "same" in OneOf(("valid", "same"))


@dataclass(frozen=True)
class Fields:
    """A field without a constraint, and three ways to declare one."""

    free: object
    rate: Annotated[float, Interval(float, 0, 1, "left")]
    clip: Annotated[float, Interval(float, 0, closed="neither")] | None = None
    padding: Annotated[str, "of an image", OneOf(("valid", "same"))] = "valid"
    epochs: int = option(100, Number(Interval(int, 1)), "how long")
    plain: int = field(default=0, metadata={"unit": "rows"})

    def __post_init__(self):
        check_fields(self)


def test_constraints_are_found_in_hints_and_in_metadata():
    assert list(constraints_of(Fields)) == ["rate", "clip", "padding", "epochs"]
    assert list(map(str, constraints_of(Fields).values())) == [
        "a number in [0, 1)",
        "a finite number above 0",
        "one of valid, same",
        "a whole number of at least 1",
    ]


def test_all_fields_are_checked_and_defaults_are_allowed():
    assert Fields(math.nan, 0.5, None, "same", 3).clip is None
    for values, message in (
        ({"rate": 1.5}, "Fields rate must be a number in [0, 1), got 1.5"),
        ({"rate": True}, "Fields rate must be a number in [0, 1), got True"),
        ({"rate": None}, "Fields rate must be a number in [0, 1), got None"),
        ({"clip": 0}, "Fields clip must be a finite number above 0, got 0"),
        ({"padding": None}, "Fields padding must be one of valid, same, got None"),
        ({"epochs": 0}, "Fields epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 100.0}, "Fields epochs must be a whole number of at least 1, got 100.0"),
    ):
        with pytest.raises(ValueError) as caught:
            Fields(**{"free": 0, "rate": 0.5, **values})
        assert str(caught.value) == message


def test_a_derived_class_checks_the_fields_of_its_base():
    @dataclass(frozen=True)
    class Derived(Fields):
        more: Annotated[int, Interval(int, 1)] = 0

    assert Derived(0, 0.5).more == 0  # its default
    with pytest.raises(ValueError, match=r"^Derived rate must be a number in \[0, 1\), got -1$"):
        Derived(0, -1)
    with pytest.raises(ValueError, match="^Derived more must be a whole number of at least 1, got -1$"):
        Derived(0, 0.5, more=-1)


def test_a_long_value_is_shortened_in_the_message():
    with pytest.raises(ValueError) as caught:
        Fields(0, "x" * 10_000)
    assert len(str(caught.value)) < 150


def test_a_class_whose_annotations_are_unknown_at_run_time_declares_no_constraints():
    cls = make_dataclass("Unresolved", [("size", "Missing")], frozen=True)
    assert constraints_of(cls) == {} and check_fields(cls(3)) is None

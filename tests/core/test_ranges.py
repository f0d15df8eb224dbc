"""Numbers in a range pass, all else is refused in one line."""

import math

import numpy as np
import pytest

from nn.core.ranges import check_count, check_interval


@pytest.mark.parametrize(
    ("interval", "inside", "outside", "expected"),
    [
        ("[0, 1)", (0, 0.5, np.float32(0.5)), (-0.1, 1, 1.0), "in [0, 1)"),
        ("(0, 1]", (1, 1e-300), (0, 0.0, 1.1), "in (0, 1]"),
        ("(0, inf)", (1e300, 1), (0, math.inf, -1), "a finite number above 0"),
        ("[0, inf)", (0, 10**30), (-1e-9, math.inf), "a finite number of at least 0"),
    ],
)
def test_an_interval_holds_its_numbers(interval, inside, outside, expected):
    for value in inside:
        check_interval("rate", value, interval)
    for value in (*outside, math.nan, True, None, "0.5", [0.5]):
        with pytest.raises(ValueError) as caught:
            check_interval("rate", value, interval)
        assert str(caught.value) == f"rate must be {expected}, got {value!r}"


def test_a_count_is_a_whole_number_from_1():
    check_count("memory", 1)
    for value in (0, -1, 1.0, True, None, "1", math.nan):
        with pytest.raises(ValueError) as caught:
            check_count("memory", value)
        assert str(caught.value) == f"memory must be a whole number of at least 1, got {value!r}"

"""Bold Driver grows, shrinks and stays within its bounds; constant stays."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.schedules import SCHEDULES, BoldDriver, Constant


def test_bold_driver_lets_the_start_stand_without_growing():
    assert BoldDriver(0.1).judge(0.1, 5.0, None) == (True, 0.1)


def test_bold_driver_grows_while_the_cost_does_not_rise():
    driver = BoldDriver(0.1, growth=1.25)
    assert driver.judge(0.4, 1.0, 1.0) == (True, 0.5)
    assert driver.judge(0.4, 0.9, 1.0) == (True, 0.5)


@pytest.mark.parametrize("cost", [1.0000001, math.inf, math.nan])
def test_bold_driver_undoes_and_halves_when_the_cost_rises(cost):
    assert BoldDriver(0.1).judge(0.4, cost, 1.0) == (False, 0.2)


@given(st.lists(st.booleans(), max_size=300))
def test_bold_driver_stays_within_its_bounds(verdicts):
    driver = BoldDriver(0.1, growth=2.0, lowest=0.01, highest=10.0)
    rate = driver.learning_rate
    for good in verdicts:
        _, rate = driver.judge(rate, 0.5 if good else 2.0, 1.0)
        assert 0.01 <= rate <= 10.0


def test_bold_driver_never_moves_a_rate_the_wrong_way_at_its_bounds():
    driver = BoldDriver(50.0, lowest=0.01, highest=10.0)
    assert driver.judge(50.0, 0.5, 1.0) == (
        True,
        50.0,
    )  # above the bound at the start: kept, not cut after success
    assert driver.judge(0.001, 2.0, 1.0) == (False, 0.001)


def test_constant_accepts_everything():
    assert Constant(0.3).judge(0.3, math.inf, 1.0) == (True, 0.3)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_schedules_refuse_a_rate_that_is_none(name, rate):
    with pytest.raises(ValueError, match="must be a finite number above 0"):
        SCHEDULES[name](rate)

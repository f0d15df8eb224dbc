"""Schedules of time match their formulas; Bold Driver grows, shrinks and stays within its bounds; plateau waits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.optim.schedules import (
    SCHEDULES,
    BoldDriver,
    Constant,
    Cosine,
    Exponential,
    InverseTime,
    OneCycle,
    Plateau,
    Step,
    warm_up,
)

# A schedule of time joins the house with a row here: (schedule, its formula written out for a run of 20 epochs).
TABLE = [
    (Constant(), lambda t: 1.0),
    (Step(5.0, drop=0.5), lambda t: 0.5 ** int(t / 5)),
    (Exponential(0.9), lambda t: 0.9**t),
    (InverseTime(0.5), lambda t: 1 / (1 + t / 2)),
    (Cosine(0.1), lambda t: 0.1 + 0.45 * (1 + math.cos(math.pi * t / 20))),
    (
        OneCycle(0.25, start=0.2, final=0.0),
        lambda t: (
            0.2 + 0.4 * (1 - math.cos(math.pi * t / 5))
            if t < 5
            else (1 + math.cos(math.pi * (t - 5) / 15)) / 2
        ),
    ),
]


def test_table_holds_every_schedule_of_time():
    costs = {"bold-driver", "plateau"}
    assert {schedule.name for schedule, _ in TABLE} | costs == set(SCHEDULES)


@pytest.mark.parametrize(("schedule", "formula"), TABLE, ids=lambda each: getattr(each, "name", ""))
def test_schedule_matches_its_formula(schedule, formula):
    for time in (0, 0.5, 4.999, 5, 7.25, 15, 19.5, 20):
        assert schedule.factor(time, 20) == pytest.approx(formula(time))
    assert schedule.accept_or_reject(0.3, math.inf, 1.0) == (True, 0.3) and not schedule.can_reject


def test_step_drops_on_its_epoch_in_spite_of_rounding():
    assert Step(0.3).factor(0.1 + 0.2, 9) == pytest.approx(0.1)
    assert Step(0.3).factor(3 * 0.1 - 1e-12, 9) == pytest.approx(0.1)


@pytest.mark.parametrize("schedule", [Cosine(), OneCycle()], ids=lambda s: s.name)
def test_schedules_with_an_end_stay_at_it(schedule):
    assert schedule.factor(30, 20) == pytest.approx(schedule.factor(20, 20))


def test_warm_up_ends_where_it_is_over():
    assert [warm_up(t, 2.0) for t in (0.0, 1.0, 2.0, 9.0)] == pytest.approx([0.04, 0.52, 1.0, 1.0])
    assert warm_up(0.0, 0.0) == 1.0


def test_plateau_waits_counts_and_starts_again_after_a_better_cost():
    plateau, memory, scales = Plateau(2, drop=0.5, lowest=0.2), None, []
    for cost in (3.0, 3.0, 2.0, 2.0, 2.0, 2.5, math.nan, 2.0, 2.0):
        memory = plateau.watch(memory, cost)
        scales.append(memory.scale)
    assert scales == [1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2]


def test_bold_driver_lets_the_start_stand_without_growing():
    assert BoldDriver().accept_or_reject(0.1, 5.0, None) == (True, 0.1)


def test_bold_driver_grows_while_the_cost_does_not_rise():
    driver = BoldDriver(growth=1.25)
    assert driver.accept_or_reject(0.4, 1.0, 1.0) == (True, 0.5)
    assert driver.accept_or_reject(0.4, 0.9, 1.0) == (True, 0.5)


@pytest.mark.parametrize("cost", [1.0000001, math.inf, math.nan])
def test_bold_driver_undoes_and_halves_when_the_cost_rises(cost):
    assert BoldDriver().accept_or_reject(0.4, cost, 1.0) == (False, 0.2)


@given(st.lists(st.booleans(), max_size=300))
def test_bold_driver_stays_within_its_bounds(verdicts):
    driver, rate = BoldDriver(growth=2.0, lowest=0.01, highest=10.0), 0.1
    for good in verdicts:
        _, rate = driver.accept_or_reject(rate, 0.5 if good else 2.0, 1.0)
        assert 0.01 <= rate <= 10.0


def test_bold_driver_never_moves_a_rate_the_wrong_way_at_its_bounds():
    driver = BoldDriver(lowest=0.01, highest=10.0)
    assert driver.accept_or_reject(50.0, 0.5, 1.0) == (
        True,
        50.0,
    )  # above the bound at the start: kept, not cut by success
    assert driver.accept_or_reject(0.001, 2.0, 1.0) == (False, 0.001)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Step(0.0), "every must be a finite number above 0, got 0"),
        (lambda: Step(1.0, drop=1.5), r"drop must be a number in \(0, 1\], got 1.5"),
        (lambda: Exponential(math.nan), r"decay must be a number in \(0, 1\], got nan"),
        (lambda: Exponential(True), r"decay must be a number in \(0, 1\], got True"),
        (lambda: InverseTime(math.inf), "decay must be a finite number above 0, got inf"),
        (lambda: Cosine(-0.1), r"final must be a number in \[0, 1\], got -0.1"),
        (lambda: OneCycle(1.0), r"rise must be a number in \(0, 1\), got 1.0"),
        (lambda: OneCycle(start=0.0), r"start must be a number in \(0, 1\], got 0.0"),
        (lambda: Plateau(0), "patience must be a whole number of at least 1, got 0"),
        (lambda: Plateau(drop=1.0), r"drop must be a number in \(0, 1\), got 1.0"),
        (lambda: BoldDriver(growth=0.9), "growth must be a finite number of at least 1, got 0.9"),
        (lambda: BoldDriver(shrink=1.0), r"shrink must be a number in \(0, 1\), got 1.0"),
        (lambda: BoldDriver(lowest=2.0, highest=1.0), "lowest must be at most highest, got 2.0 and 1.0"),
    ],
)
def test_schedules_refuse_what_makes_none(make, message):
    with pytest.raises(ValueError, match=message):
        make()

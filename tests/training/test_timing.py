"""Where the time went: sums of epochs, and what they say of other places."""

import pytest

from nn.training.records import Epoch
from nn.training.timing import Phases

HISTORY = [
    Epoch(1, 1.0, 0.5, 0.1, True, 10, 6.0, schedule=2.0, read=1.0, compute=2.0, sum=0.75, update=0.25),
    Epoch(2, 1.0, 0.5, 0.1, True, 10, 4.0, schedule=1.0, read=0.0, compute=2.0, sum=0.25, update=0.75),
]


def test_phases_add_up_over_epochs():
    phases = Phases.of(iter(HISTORY))
    assert phases == (3.0, 1.0, 4.0, 1.0, 1.0) and phases.total == 10.0


def test_one_process_computes_what_all_tasks_computed_and_schedules_nothing():
    assert Phases.of(HISTORY).in_one_process(2) == pytest.approx(2 * 4.0 + 1.0)


def test_twice_the_slots_halve_reading_and_computing_and_double_the_tallies():
    assert Phases.of(HISTORY).on_twice_the_slots() == pytest.approx(3.0 + 2.5 + 2.0 + 1.0)


def test_the_verdict_says_shares_and_predictions():
    line = Phases.of(HISTORY).verdict(2)
    assert "40% of 10 s was computing on 2 cores (schedule 30%, " in line
    assert "one core without Spark (nn.fit) would take about 9 s: not worth a cluster" in line
    assert line.endswith("twice the cores: about 8.5 s")
    assert "about 17 s; twice" in Phases.of(HISTORY).verdict(4) and "not worth" not in Phases.of(
        HISTORY
    ).verdict(4)
    assert "\n" not in line
    assert Phases.of([]).verdict(2) == "no epoch was trained"

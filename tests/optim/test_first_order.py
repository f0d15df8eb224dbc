"""A rejected step goes back to the last accepted point; rates follow the schedule's time; gradients are clipped."""

import math

import numpy as np
import pytest

from nn.core import tree
from nn.optim import first_order
from nn.optim.first_order import FirstOrder, clipped, descend, fresh_slots
from nn.optim.optimizer import accepted_params
from nn.optim.rules import RULES, SGD, Adam, Momentum
from nn.optim.schedules import BoldDriver, Constant, Cosine, Plateau


def one(value):
    return [{"b": np.array([float(value)])}]


def at(params):
    return float(params[0]["b"][0])


def test_bold_driver_goes_back_and_steps_along_the_old_gradient_at_half_the_rate():
    descent = FirstOrder(SGD(), BoldDriver(growth=1.5), 1.0)
    state = descent.init(one(10))
    state, accepted = descent.tell(state, 5.0, one(2))  # initial weights: 10 -> 10 - 1*2
    assert accepted and at(state.trial) == 8 and state.learning_rate == 1.0
    state, accepted = descent.tell(state, 6.0, one(100))  # worse: back to 10, 10 - 0.5*2
    assert not accepted and at(state.trial) == 9 and state.learning_rate == 0.5
    assert at(accepted_params(state)) == 10
    state, accepted = descent.tell(state, 5.5, one(100))  # worse again: 10 - 0.25*2
    assert not accepted and at(state.trial) == 9.5
    state, accepted = descent.tell(state, 4.0, one(4))  # better: from 9.5 on, 9.5 - 0.375*4
    assert accepted and at(state.trial) == 8 and state.learning_rate == 0.375
    assert at(accepted_params(state)) == 9.5


def test_bold_driver_restores_the_velocity_and_drops_it_after_two_rejections():
    descent = FirstOrder(Momentum(0.5), BoldDriver(growth=1.0), 1.0)
    state = descent.init(one(0))
    state, _ = descent.tell(state, 3.0, one(1))  # v = 1, trial -1
    state, _ = descent.tell(state, 2.0, one(1))  # accepted with v = 1; v = 1.5, trial -2.5
    assert at(state.trial) == -2.5
    state, accepted = descent.tell(state, 9.0, one(50))  # from v = 1 again, at rate 0.5
    assert not accepted and at(state.trial) == -1 - 0.5 * 1.5
    state, accepted = descent.tell(state, 9.0, one(50))  # from v = 0, at rate 0.25
    assert not accepted and at(state.trial) == -1 - 0.25 * 1.0


@pytest.mark.parametrize("name", RULES)
def test_bold_driver_restores_the_slots_of_every_rule(name):
    descent = FirstOrder(RULES[name](), BoldDriver(), 0.1)
    state, _ = descent.tell(descent.init(one(3)), 3.0, one(1))
    state, _ = descent.tell(state, 2.0, one(1))
    slots = tree.copy(state.accepted.slots)
    for cost in (5.0, 4.0):
        state, accepted = descent.accept_or_reject(state, cost)
        assert not accepted and at(state.trial) == at(accepted_params(state))
        expected = slots if cost == 5.0 else descent.init(one(3)).slots  # rejected twice: reset
        for a, b in zip(tree.arrays(state.slots), tree.arrays(expected), strict=True):
            assert np.array_equal(a, b)


@pytest.mark.parametrize("name", RULES)
def test_bold_driver_never_gets_stuck_uphill_with_any_rule(name):
    """A cost that falls only along the gradient of the accepted point falls again, whatever the slots."""
    descent = FirstOrder(RULES[name](), BoldDriver(), 1.0)
    state, rejected = descent.init(one(5)), 0
    for _ in range(120):
        place = at(state.trial)
        state, accepted = descent.tell(state, abs(place), one(np.sign(place)))
        rejected += not accepted
    assert rejected and abs(at(accepted_params(state))) < 0.05


def test_tell_changes_no_array_of_the_state():
    descent = FirstOrder(Adam(), BoldDriver(), 0.1)
    state, _ = descent.tell(descent.init(one(3)), 3.0, one(1))
    before = [a.copy() for a in tree.arrays([state.trial, state.slots, state.accepted.grads])]
    descent.tell(state, 2.0, one(1))
    descent.tell(state, 9.0, one(1))
    after = list(tree.arrays([state.trial, state.slots, state.accepted.grads]))
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_constant_schedule_keeps_the_latest_point():
    descent = FirstOrder(SGD(), Constant(), 1.0)
    state = descent.init(one(3))
    state, accepted = descent.tell(state, 9.0, one(1))
    state, accepted = descent.tell(state, 99.0, one(1))
    assert accepted and at(accepted_params(state)) == 1


def rates(descent, steps):
    state, found = descent.init(one(0)), []
    for _ in range(steps):
        state = descent.move(state, one(0))
        found.append(state.learning_rate)
    return found


def test_schedule_follows_the_steps_of_the_epochs():
    assert rates(FirstOrder(SGD(), Cosine(), 2.0, epochs=2, steps=2), 5) == pytest.approx(
        [2.0, 1 + math.cos(math.pi / 4), 1.0, 1 - math.cos(math.pi / 4), 0.0]
    )


def test_warm_up_rises_in_a_line_and_then_the_schedule_begins():
    found = rates(FirstOrder(SGD(), Cosine(), 1.0, epochs=3, steps=2, warmup=1.0), 6)
    assert found == pytest.approx([0.04, 0.52, 1.0, (1 + math.cos(math.pi / 4)) / 2, 0.5, 0.146446609])


def test_plateau_shrinks_the_rate_of_the_steps_that_follow():
    descent = FirstOrder(SGD(), Plateau(2, drop=0.1), 1.0)
    state, found = descent.init(one(0)), []
    for cost in (5.0, 4.0, 4.0, 4.5, 3.0, 3.0):
        state = descent.watch(descent.move(state, one(0)), cost)
        found.append(state.learning_rate)
    assert found == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.1, 0.1])


def test_clipping_bounds_the_norm_of_all_gradients_together():
    grads = [{"W": np.array([[3.0]]), "b": np.array([4.0])}]
    assert clipped(grads, 5.0)[0]["b"] == 4.0  # within the bound: as it was
    small = clipped(grads, 1.0)
    assert small[0]["W"] == pytest.approx(0.6) and small[0]["b"] == pytest.approx(0.8)
    descent = FirstOrder(SGD(), Constant(), 1.0, clip=1.0)
    assert at(descent.move(descent.init(one(0)), one(-30)).trial) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be a finite number above 0, got 0.0"),
        ({"learning_rate": math.inf}, "learning_rate must be a finite number above 0, got inf"),
        ({"clip": -1.0}, "clip must be a finite number above 0, got -1.0"),
        ({"warmup": math.nan}, "warmup must be a finite number of at least 0, got nan"),
    ],
)
def test_descent_refuses_numbers_that_make_no_step(wrong, message):
    with pytest.raises(ValueError, match=message):
        FirstOrder(SGD(), Constant(), **wrong)


@pytest.mark.parametrize("name", RULES)
def test_a_large_array_is_updated_in_parts_to_the_same_bits(name, monkeypatch, rng):
    def descended(piece):
        monkeypatch.setattr(first_order, "PIECE", piece)
        rule, params = RULES[name](), [{"W": start.copy(), "b": start[0].copy()}]
        slots = fresh_slots(rule, params)
        for step in steps:
            descend(rule, 0.1, None, params, slots, [{"W": step.copy(), "b": step[0].copy()}], 3.0)
        return tree.arrays([params, slots])

    start, *steps = rng.normal(size=(4, 5, 8)).astype(np.float32)
    whole, parts = descended(40), descended(7)
    assert [a.tobytes() for a in parts] == [a.tobytes() for a in whole]
    assert not any(
        np.array_equal(array, before) for array, before in zip(whole, (start, start[0]), strict=False)
    )


@pytest.mark.parametrize("name", ["momentum", "nesterov", "adam", "adamw", "rmsprop"])
def test_where_a_gradient_stays_zero_the_state_becomes_zero_and_the_parameters_keep_their_bits(
    name, monkeypatch
):
    def states(every):
        monkeypatch.setattr(first_order, "FLUSH_STEPS", every)
        descent = FirstOrder(RULES[name](), Constant(), 0.01)
        state = descent.init([{"W": np.full((1, 4), 0.5, np.float32)}]).copy_for_update()
        for step in range(1000):
            gradient = np.array([[step < 3, -(step < 3), step % 2, 1e-3]], np.float32)
            state = descent.step(state, [{"W": gradient}])
            yield state.trial, state.slots

    flushed, kept = list(map(copied, states(64))), list(map(copied, states(10**9)))
    assert flushed[-1][0] == kept[-1][0]
    assert any(denormal(slots) for _, slots in kept)  # else this tests nothing
    assert not denormal(flushed[960][1])  # after step 961, the first one after a flush
    assert (kept[-1][1] != flushed[-1][1]) == denormal(kept[-1][1])
    large = [[abs(number) >= TINY for number in array] for array in kept[-1][1]]
    for keep, one, other in zip(large, flushed[-1][1], kept[-1][1], strict=True):
        assert [a for a, k in zip(one, keep, strict=True) if k] == [
            a for a, k in zip(other, keep, strict=True) if k
        ]


TINY = float(np.finfo(np.float32).tiny)


def copied(state):
    """Parameters and slots as numbers."""
    return [[array.ravel().tolist() for array in tree.arrays(part)] for part in state]


def denormal(slots):
    return any(0 < abs(number) < TINY for array in slots for number in array)


def test_denormal_numbers_become_zero_and_all_others_stay():
    numbers = [1e-39, -1e-39, 1.2e-38, -1.2e-38, -3.0, np.nan, np.inf, -np.inf, TINY, -TINY]
    slots = {
        "float32": np.array(numbers, np.float32),
        "float64": np.array([1e-39, -1e-310, 2.3e-308]),
        "steps": np.array([1, 0]),
        "one": np.array(1e-310),
    }
    expected = {key: array.copy() for key, array in slots.items()}
    expected["float32"][:2], expected["float64"][1] = 0, 0
    first_order.flush_denormal([{"W": slots}])
    for key, array in slots.items():
        assert array.tobytes() == expected[key].tobytes(), key


def test_denormal_numbers_are_looked_for_every_64_steps(monkeypatch):
    descent, seen = FirstOrder(RULES["momentum"](), Constant(), 0.01), []
    monkeypatch.setattr(first_order, "flush_denormal", lambda slots: seen.append(step))
    state = descent.init([{"W": np.ones((1, 4), np.float32)}]).copy_for_update()
    for step in range(130):
        state = descent.step(state, [{"W": np.ones((1, 4), np.float32)}])
    assert seen == [0, 64, 128]


def test_a_large_array_is_updated_whole_where_a_rule_needs_it_whole_or_it_is_not_in_order(monkeypatch):
    class Normalized(SGD):
        elementwise = False

        def update(self, w, g, slot, rate):
            seen.append(w.shape)
            super().update(w, g / np.linalg.norm(g), slot, rate)

    seen = []
    monkeypatch.setattr(first_order, "PIECE", 2)
    for rule, array in ((Normalized(), np.ones((2, 3))), (SGD(), np.ones((3, 2)).T)):
        descend(rule, 0.5, None, [{"W": array}], [{"W": {}}], [{"W": np.ones((2, 3))}])
    assert seen == [(2, 3)]
    assert (array == 0.5).all()

"""check_rule finds each kind of mistake that a rule of one's own may have."""

import numpy as np
import pytest

from nn.optim import RULES, Rule, check_rule
from nn.optim.rules import SGD, Momentum, Nesterov


@pytest.mark.parametrize("name", RULES)
def test_every_rule_keeps_the_contract(name):
    check_rule(RULES[name]())


class Uphill(SGD):
    def update(self, w, g, slot, rate):
        super().update(w, -g, slot, rate)


class NotInPlace(SGD):
    def update(self, w, g, slot, rate):
        w = w - rate * g


class Returning(SGD):
    def update(self, w, g, slot, rate):
        super().update(w, g, slot, rate)
        return w


class WithoutRate(SGD):
    def update(self, w, g, slot, rate):
        super().update(w, g, slot, 0.1)


class Random(SGD):
    def update(self, w, g, slot, rate):
        super().update(w, g * w.dtype.type(np.random.default_rng().uniform(0.5, 1)), slot, rate)


class OneVelocityForAll(SGD):
    velocity: dict = {}

    def update(self, w, g, slot, rate):
        last = self.velocity.get(w.shape, np.zeros_like(w)).astype(w.dtype)
        self.velocity[w.shape] = g.copy()
        super().update(w, g + last, slot, rate)


class KeptGradient(Momentum):
    def update(self, w, g, slot, rate):
        g += slot["velocity"] * w.dtype.type(0.5)
        slot["velocity"] = g
        w -= w.dtype.type(rate) * g


class WiderSlot(Momentum):
    def update(self, w, g, slot, rate):
        super().update(w, g, slot, rate)
        slot["velocity"] = slot["velocity"].astype(np.longdouble)


class ForgottenKey(Nesterov):
    def update(self, w, g, slot, rate):
        super().update(w, g, slot, rate)
        del slot["velocity"]


class ListSlot(SGD):
    def start(self, w):
        return {"steps": [0]}


class FlatSlot(SGD):
    def start(self, w):
        return {"mean": np.zeros(w.size + 1, w.dtype)}


class AlwaysFloat64(SGD):
    def start(self, w):
        return {"mean": np.zeros(w.shape)}


class ChangingStart(SGD):
    def start(self, w):
        w += 1
        return {}


class NotElementwise(SGD):
    def update(self, w, g, slot, rate):
        super().update(w, g / max(float(np.abs(g).max(initial=0)), 1), slot, rate)


class SharedWithW(SGD):
    def start(self, w):
        return {"last": w}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Uphill(), "sgd: 200 steps at the rate 0.1 change a cost from"),
        (NotInPlace(), "sgd: 200 steps at the rate 0.1 change a cost from"),
        (Returning(), "update returns a value, expected changes in place"),
        (WithoutRate(), "w is changed at the rate 0"),
        (Random(), r"the same gradients give other bits for float32 \(\)"),
        (OneVelocityForAll(), r"the same gradients give other bits for float32 \(\)"),
        (KeptGradient(), "w, g and the arrays of the slot share memory"),
        (WiderSlot(), "update leaves .*longdouble|update leaves .*float128"),
        (ForgottenKey(), "update leaves {'w': .*}, expected {'w': .*, 'velocity': .*}"),
        (ListSlot(), r"start gives steps as list, expected the shape \(\) or \(\) and float32 or int64"),
        (FlatSlot(), r"start gives mean as float32 \(2,\)"),
        (AlwaysFloat64(), r"start gives mean as float64 \(\), expected .* float32 or int64"),
        (ChangingStart(), "start changes w"),
        (NotElementwise(), "is elementwise, but a number of w alone gets other bits"),
        (SharedWithW(), "w, g and the arrays of the slot share memory"),
    ],
)
def test_a_wrong_rule_is_found(rule, message):
    with pytest.raises(AssertionError, match=message):
        check_rule(rule)


def test_a_rule_without_update_is_found():
    with pytest.raises(NotImplementedError):
        check_rule(type("Nothing", (Rule,), {"name": "nothing"})())

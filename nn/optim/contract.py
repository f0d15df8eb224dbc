"""Check that an update rule keeps the contract of nn.optim.rules.Rule; made for the tests of a rule of your own.

from nn.optim import check_rule
check_rule(MyRule())
"""

from __future__ import annotations

import itertools

import numpy as np

from nn.layers.contract import describe, expect
from nn.optim.rules import Rule, Slot

SHAPES = ((), (3,), (4, 3), (2, 3, 3, 2), (0, 3))
STEPS = 200


def check_rule(rule: Rule, rate: float | None = None, seed: int = 0) -> None:
    """Check a rule on arrays of several shapes, float32 and float64. Raises AssertionError.

    - `start` gives arrays with the shape of w or of one number, of the dtype of w or int64, and leaves w as it is.
    - `update` changes w and the slot in place and keeps their keys, shapes and dtypes; it returns nothing.
    - The same arrays give the same bits, also where the rule updates other arrays in between.
    - No array is kept beside the slot: w, g and the slot share no memory.
    - An elementwise rule gives the same bits where it updates the numbers of w one after the other.
    - A rate of 0 leaves w as it is.
    - Steps at `rate`, or at the rule's default learning rate, lower the cost |w - c|^2 / 2.
    """
    rate = rule.default_learning_rate if rate is None else rate
    rng = np.random.default_rng(seed)
    for shape, dtype in itertools.product(SHAPES, (np.float32, np.float64)):
        w, *grads = (np.asarray(rng.normal(size=shape), dtype) for _ in range(4))
        _check_start(rule, w)
        alone, beside = w.copy(), w.copy()
        slots = [rule.start(alone), rule.start(beside)]
        for g in grads:
            _check_update(rule, alone, g.copy(), slots[0], rate)
        for g in grads:
            rule.update(beside, g.copy(), slots[1], rate)
            other = w + w.dtype.type(1)
            rule.update(other, np.ones_like(w), rule.start(other), rate)
        same = all(map(np.array_equal, (alone, *slots[0].values()), (beside, *slots[1].values())))
        expect(same, rule, f"the same gradients give other bits for {describe(w)}")
        if rule.elementwise and w.size:
            _check_parts(rule, w, grads, rate)
        still = w.copy()
        rule.update(still, grads[0].copy(), rule.start(still), 0.0)
        expect(np.array_equal(still, w), rule, "w is changed at the rate 0")
        _check_descent(rule, w, rate)


def _check_start(rule: Rule, w: np.ndarray) -> None:
    before = w.copy()
    slot = rule.start(w)
    expect(np.array_equal(w, before), rule, "start changes w")
    for name, value in slot.items():
        fits = (
            isinstance(value, np.ndarray)
            and value.shape in ((), w.shape)
            and value.dtype in (w.dtype, np.int64)
        )
        expected = f"the shape {w.shape} or () and {w.dtype} or int64"
        expect(fits, rule, f"start gives {name} as {describe(value)}, expected {expected}")


def _check_update(rule: Rule, w: np.ndarray, g: np.ndarray, slot: Slot, rate: float) -> None:
    """Take one step, and check what it leaves behind."""
    before = {name: describe(value) for name, value in {"w": w, **slot}.items()}
    expect(rule.update(w, g, slot, rate) is None, rule, "update returns a value, expected changes in place")  # type: ignore[func-returns-value]
    after = {name: describe(value) for name, value in {"w": w, **slot}.items()}
    expect(after == before, rule, f"update leaves {after}, expected {before}")
    for one, other in itertools.combinations((w, g, *slot.values()), 2):
        expect(not np.shares_memory(one, other), rule, "w, g and the arrays of the slot share memory")


def _check_parts(rule: Rule, w: np.ndarray, grads: list[np.ndarray], rate: float) -> None:
    """Update whole arrays, and each of their numbers alone."""
    whole, parts = w.ravel().copy(), np.split(w.ravel().copy(), w.size)
    slots = [rule.start(array) for array in (whole, *parts)]
    for g in grads:
        rule.update(whole, g.ravel().copy(), slots[0], rate)
        for part, number, slot in zip(parts, np.split(g.ravel().copy(), w.size), slots[1:], strict=True):
            rule.update(part, number, slot, rate)
    same = np.array_equal(whole, np.concatenate([whole[:0], *parts]))
    expect(same, rule, "is elementwise, but a number of w alone gets other bits than in its array")


def _check_descent(rule: Rule, start: np.ndarray, rate: float) -> None:
    w, center = start.copy(), start + start.dtype.type(3)
    slot = rule.start(w)
    for _ in range(STEPS):
        rule.update(w, np.subtract(w, center, out=np.empty_like(w)), slot, rate)
    costs = [float(np.square(array - center).sum()) for array in (start, w)]
    lower = costs[1] < costs[0] or not start.size
    expect(
        lower, rule, f"{STEPS} steps at the rate {rate:g} change a cost from {costs[0]:.4g} to {costs[1]:.4g}"
    )

"""A nest from a file is held against one that is as it should be."""

import numpy as np
import pytest

from nn.core.likeness import Many, Maybe, check

W = np.zeros((2, 3), np.float32)
LIKE = {
    "trial": [{"W": W}],
    "rate": 0.1,
    "steps": 0,
    "on": False,
    "why": "",
    "old": Maybe(0.5),
    "pairs": Many([W], 2),
}
GOOD = {"trial": [{"W": W + 1}], "rate": 2.0, "steps": 7, "on": True, "why": "x", "old": None, "pairs": []}


def test_likeness_lets_pass_what_is_alike():
    check(GOOD, LIKE, "state")
    check({**GOOD, "old": 1.5, "pairs": [[W], [W]]}, LIKE, "state")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trial": [{"W": W[:1]}]}, r"state.trial.0.W: expected float32 \(2, 3\), found float32 \(1, 3\)"),
        ({"trial": [{"W": W.astype(float)}]}, r"state.trial.0.W: expected float32 \(2, 3\), found float64"),
        ({"trial": [{"W": [0.0]}]}, r"state.trial.0.W: expected float32 \(2, 3\), found 1 values"),
        ({"trial": [{"W": W}, {}]}, "state.trial: expected 1 values, found 2 values"),
        ({"trial": [{"b": W}]}, "state.trial.0: expected W, found b"),
        ({"trial": None}, "state.trial: expected 1 values, found nothing"),
        ({"rate": 1}, "state.rate: expected float, found int"),
        ({"steps": True}, "state.steps: expected int, found bool"),
        ({"why": None}, "state.why: expected str, found nothing"),
        ({"old": "x"}, "state.old: expected float, found str"),
        ({"pairs": [[W]] * 3}, "state.pairs: expected at most 2, found 3 values"),
        ({"pairs": [[W], [W[0]]]}, r"state.pairs.1.0: expected float32 \(2, 3\), found float32 \(3,\)"),
    ],
)
def test_likeness_names_the_place_that_differs(change, message):
    with pytest.raises(ValueError, match=message):
        check({**GOOD, **change}, LIKE, "state")


def test_likeness_tells_a_key_that_is_missing_or_too_many():
    with pytest.raises(ValueError, match="state: expected trial, rate"):
        check({**GOOD, "more": 1}, LIKE, "state")
    with pytest.raises(ValueError, match="state: expected trial, rate"):
        check({key: GOOD[key] for key in GOOD if key != "rate"}, LIKE, "state")


def test_a_key_that_would_steer_a_terminal_is_escaped():
    with pytest.raises(ValueError) as told:
        check({"a\n\x1b[31m": 1}, {"b": 1}, "state")
    assert str(told.value) == "state: expected b, found a\\n\\x1b[31m"

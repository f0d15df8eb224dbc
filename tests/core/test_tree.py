"""Functions of one array, applied to trees of arrays; values from a file, checked against an example."""

from typing import NamedTuple

import numpy as np
import pytest

from nn.core import tree

TREE = [{"W": np.array([[1.0, 2.0]]), "b": np.array([3.0])}, {}, (np.array([4.0]),)]


def test_map_arrays_keeps_the_structure_of_the_tree():
    doubled = tree.map_arrays(lambda a: a * 2, TREE)
    assert [type(branch) for branch in doubled] == [dict, dict, tuple]
    assert [a.tolist() for a in tree.arrays(doubled)] == [[[2, 4]], [6], [8]]


def test_map_arrays_refuses_lists_of_different_lengths():
    with pytest.raises(ValueError, match="expected 3 branches, got 1"):
        tree.add(TREE, TREE[:1])


def test_add_scale_dot_and_count():
    assert [a.tolist() for a in tree.arrays(tree.add(TREE, TREE))] == [[[2, 4]], [6], [8]]
    assert tree.scale([np.array([2], np.float32)], 0.5)[0].dtype == np.float32
    assert tree.dot(TREE, TREE) == 1 + 4 + 9 + 16
    assert tree.count(TREE) == 4


def test_all_finite_finds_one_nan():
    assert tree.all_finite(TREE)
    assert not tree.all_finite([TREE, np.array([0, np.nan])])


def test_scale_inplace_changes_the_arrays_themselves():
    values = {"W": np.ones(2, np.float32)}
    array = values["W"]
    assert tree.scale_inplace(values, 3)["W"] is array and array.tolist() == [3, 3]


W = np.zeros((2, 3), np.float32)


class Corner(NamedTuple):
    x: np.ndarray
    y: np.ndarray | None


@tree.stored_as("corner", "all")
class Shape(NamedTuple):
    first: Corner
    corners: list[Corner]


def test_map_arrays_keeps_named_tuples():
    assert tree.map_arrays(lambda a: a * 2, [Corner(1, 2)]) == [Corner(2, 4)]


def test_a_named_tuple_is_stored_under_its_keys_or_as_a_list_and_read_back():
    shape = Shape(Corner(W, None), [Corner(W, W)])
    plain = tree.to_plain(shape)
    assert plain == {"corner": [W, None], "all": [[W, W]]} and type(plain["corner"]) is list
    corner = Corner(W, tree.optional(W))
    example = Shape(corner, tree.list_of(corner, 1))
    assert tree.read_like(plain, example, "shape") == shape
    for wrong, message in (
        ({"corner": [W], "all": []}, "shape.corner: expected 2 values, found 1 values"),
        ({"first": [W, None], "corners": []}, "shape: expected corner, all, found first, corners"),
        ({"corner": [W, 1], "all": []}, r"shape.corner.1: expected float32 \(2, 3\), found int"),
        (shape, "shape: expected corner, all, found 2 values"),
    ):
        with pytest.raises(ValueError, match=message):
            tree.read_like(wrong, example, "shape")


# ---- values from a file ----

EXAMPLE = {
    "trial": [{"W": W}],
    "rate": 0.1,
    "steps": 0,
    "on": False,
    "why": "",
    "old": tree.optional(0.5),
    "pairs": tree.list_of([W], 2),
}
GOOD = {"trial": [{"W": W + 1}], "rate": 2.0, "steps": 7, "on": True, "why": "x", "old": None, "pairs": []}


def test_read_like_accepts_values_like_the_example():
    tree.read_like(GOOD, EXAMPLE, "state")
    tree.read_like({**GOOD, "old": 1.5, "pairs": [[W], [W]]}, EXAMPLE, "state")


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
        ({"pairs": [[W]] * 3}, "state.pairs: expected at most 2 values, found 3 values"),
        ({"pairs": [[W], [W[0]]]}, r"state.pairs.1.0: expected float32 \(2, 3\), found float32 \(3,\)"),
    ],
)
def test_read_like_names_the_path_of_the_first_difference(change, message):
    with pytest.raises(ValueError, match=message):
        tree.read_like({**GOOD, **change}, EXAMPLE, "state")


def test_read_like_refuses_keys_in_another_order():
    with pytest.raises(ValueError, match="state: expected trial, rate"):
        tree.read_like({key: GOOD[key] for key in reversed(GOOD)}, EXAMPLE, "state")


def test_read_like_refuses_missing_and_additional_keys():
    with pytest.raises(ValueError, match="state: expected trial, rate"):
        tree.read_like({**GOOD, "more": 1}, EXAMPLE, "state")
    with pytest.raises(ValueError, match="state: expected trial, rate"):
        tree.read_like({key: GOOD[key] for key in GOOD if key != "rate"}, EXAMPLE, "state")


def test_read_like_escapes_keys_with_control_characters():
    with pytest.raises(ValueError) as raised:
        tree.read_like({"a\n\x1b[31m": 1}, {"b": 1}, "state")
    assert str(raised.value) == "state: expected b, found a\\n\\x1b[31m"

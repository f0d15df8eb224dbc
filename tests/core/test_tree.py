"""Functions of one array, lifted to nests."""

import numpy as np
import pytest

from nn.core import tree

NEST = [{"W": np.array([[1.0, 2.0]]), "b": np.array([3.0])}, {}, (np.array([4.0]),)]


def test_map_arrays_keeps_the_shape_of_the_nest():
    doubled = tree.map_arrays(lambda a: a * 2, NEST)
    assert [type(branch) for branch in doubled] == [dict, dict, tuple]
    assert [a.tolist() for a in tree.arrays(doubled)] == [[[2, 4]], [6], [8]]


def test_map_arrays_refuses_nests_that_differ():
    with pytest.raises(ValueError, match="expected 3 branches, got 1"):
        tree.add(NEST, NEST[:1])


def test_add_scale_dot_and_count():
    assert [a.tolist() for a in tree.arrays(tree.add(NEST, NEST))] == [[[2, 4]], [6], [8]]
    assert tree.scale([np.array([2], np.float32)], 0.5)[0].dtype == np.float32
    assert tree.dot(NEST, NEST) == 1 + 4 + 9 + 16
    assert tree.count(NEST) == 4


def test_all_finite_finds_one_nan():
    assert tree.all_finite(NEST)
    assert not tree.all_finite([NEST, np.array([0, np.nan])])

"""Nests of values go to bytes and back whole, without a copy of their arrays; bytes from elsewhere cannot run code."""

import json
import math
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.core import tree
from nn.data.block import Block
from nn.data.statistics import column_statistics
from nn.io import nests
from nn.optim.requests import Change
from nn.training.records import Measures, Sums, Times


def same(one, other):
    """Whether two nests are of the same types and bits."""
    if isinstance(one, (np.ndarray, np.generic)):
        return (
            type(one) is type(other)
            and one.dtype == other.dtype
            and np.array_equal(one, other, equal_nan=True)
        )
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return type(other) is dict and same(list(one.items()), list(other.items()))
    return type(one) is type(other) and (one == other or (one != one and other != other))


def test_what_travels_comes_back_with_its_types_and_bits(rng):
    params = [{"W": rng.normal(size=(3, 2)), "b": np.zeros(2, np.float32)}, {}]
    for nest in (
        Block(np.arange(3), rng.integers(0, 255, (3, 4)).astype(np.uint8), np.zeros(3, np.int16)),
        Block(np.arange(0), np.zeros((0, 4), np.float32), np.zeros(0), np.ones(0), True),
        Sums(
            Measures(3, 2.5, 0.1, 2), Measures(), 3, 2.5, Change(params, [{"W": (), "b": (1,)}]), Times(0.5)
        ),
        column_statistics(rng.normal(size=(5, 2))),
        [None, True, -1, 2**70, math.pi, -0.0, math.nan, math.inf, "\u00e9\ud800", {3: "c", "d": [()]}],
        [
            np.float32(0.1),
            np.array(7),
            np.zeros((2, 0)),
            np.array([True]),
            rng.normal(size=(4, 6))[::2, ::-1],
        ],
    ):
        assert same(nests.from_bytes(nests.to_bytes(nest)), nest)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(
    st.recursive(
        SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner)
    )
)
def test_any_nest_comes_back(nest):
    assert same(nests.from_bytes(nests.to_bytes(nest)), nest)


def test_arrays_are_aligned_views_that_can_be_written_where_the_buffer_can():
    arrays = [np.arange(3, dtype=np.uint8), np.ones(5), np.arange(7, dtype=np.float32)]
    content = nests.to_bytes(arrays)
    assert len(content) % nests.ALIGNMENT == 0
    buffer = np.zeros(len(content) + nests.ALIGNMENT, np.uint8)
    first = -buffer.ctypes.data % nests.ALIGNMENT
    buffer[first : first + len(content)] = np.frombuffer(content, np.uint8)
    for array in nests.from_bytes(buffer[first : first + len(content)].data):
        assert array.ctypes.data % nests.ALIGNMENT == 0 and np.shares_memory(array, buffer)
    assert not any(array.flags.writeable for array in nests.from_bytes(content))
    found = nests.from_bytes(bytearray(content))
    assert all(array.flags.writeable for array in found)
    assert tree.bytes_of(found) == 3 + 40 + 28


def test_values_of_other_types_are_refused():
    for value in ({1, 2}, b"bytes", object(), np.array(["text"]), np.array([None])):
        with pytest.raises(TypeError, match="expected a"):
            nests.to_bytes([value])


Foreign = namedtuple("Foreign", "a")


def test_bytes_build_no_class_but_named_tuples_of_the_package():
    for name in (
        f"{__name__}:Foreign",
        "os:system",
        "collections:OrderedDict",
        "nn.core.errors:DataError",
        "nn.io.nests:to_bytes",
        "nn.io.nests:json.loads",
        "nnx:Y",
        "nn.no_such_module:X",
    ):
        header = f'[[], {{"{name}": ["touch x"]}}]'.encode()
        content = len(header).to_bytes(8, "little") + header
        with pytest.raises(ValueError, match="expected the bytes of a nest"):
            nests.from_bytes(content)


@pytest.mark.parametrize(
    "place",
    [
        ["|O", [1], 0],
        ["<U1", [1], 0],
        ["<f8", [-1], 0],
        ["<f8", [1], -64],
        ["<f8", [99], 0],
        ["<f8", [1 << 70], 0],
    ],
)
def test_arrays_of_other_kinds_and_beyond_the_bytes_are_refused(place):
    header = json.dumps([[place], {"array": 0}]).encode()
    content = len(header).to_bytes(8, "little") + header
    with pytest.raises(ValueError, match="expected the bytes of a nest"):
        nests.from_bytes(content + bytes(256 - len(content)))


def test_damaged_bytes_raise_value_errors(rng):
    content = nests.to_bytes(Sums(Measures(1, 1.0, 0.5, 1), grads=[{"W": np.ones((3, 2))}]))
    for length in range(0, len(content) - nests.ALIGNMENT, 7):
        with pytest.raises(ValueError):
            nests.from_bytes(content[:length])
    for _ in range(500):
        damaged = bytearray(content)
        damaged[rng.integers(len(content) - 64)] = rng.integers(256)
        try:
            nests.from_bytes(damaged)
        except ValueError as error:
            assert len(str(error)) < 200

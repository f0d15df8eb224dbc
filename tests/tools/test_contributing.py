"""The layer that CONTRIBUTING.md adds as an example is one."""

import inspect
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from nn.core.random import Key
from nn.layers.base import Layer, Params
from tests.layers import test_layers
from tests.support import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture
def example():
    """The layer, from the page's only block of Python."""
    (source,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    names = {"dataclass": dataclass, "Any": Any, "ClassVar": ClassVar, "np": np, "Key": Key}
    names |= {"Layer": Layer, "Params": Params, "__name__": __name__}
    exec(source, names)
    return names["Softsign"]()


def test_example_keeps_what_a_layer_promises(example, rng):
    for check in (
        test_layers.test_layer_keeps_the_shapes_it_promised,
        test_layers.test_layer_gradients_match_the_slope_along_random_directions,
        test_layers.test_layer_computes_only_what_is_wanted,
        test_layers.test_layer_leaves_its_inputs_alone,
    ):
        check(example, (6,), rng)


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_example_has_the_signatures_of_layers(example, method):
    ours, base = (inspect.signature(getattr(kind, method)) for kind in (type(example), Layer))
    assert list(ours.parameters.values()) == [
        parameter.replace(annotation=ours.parameters[name].annotation)
        for name, parameter in base.parameters.items()
    ]


def test_files_named_on_the_page_are_there():
    for path in set(re.findall(r"\b(?:nn|tests|docs)/[\w/]+\.(?:py|md)\b", TEXT)):
        assert (ROOT / path).is_file(), path

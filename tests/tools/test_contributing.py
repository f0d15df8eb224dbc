"""The layer that CONTRIBUTING.md adds as an example is one."""

import inspect
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from nn.core.random import Key
from nn.layers import LAYERS, check_layer
from nn.layers.base import Layer, Params
from tests.support import ROOT
from tests.support.pages import blocks

TEXT = (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture
def example():
    """The layer, from the page's only block of Python."""
    ((_, source),) = blocks("python", "CONTRIBUTING.md")
    names = {"dataclass": dataclass, "Any": Any, "ClassVar": ClassVar, "np": np, "Key": Key}
    names |= {"Layer": Layer, "Params": Params, "__name__": __name__}
    exec(source, names)
    return names["Softsign"]()


def test_example_keeps_the_contract_of_a_layer(example):
    check_layer(example, (6,))


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_example_has_the_signatures_of_layers(example, method):
    ours, base = (inspect.signature(getattr(kind, method)) for kind in (type(example), Layer))
    assert list(ours.parameters.values()) == [
        parameter.replace(annotation=ours.parameters[name].annotation)
        for name, parameter in base.parameters.items()
    ]


def test_example_is_no_layer_of_ours(example):
    assert example.name not in LAYERS


def test_files_named_on_the_page_are_there():
    for path in set(re.findall(r"\b(?:nn|tests|docs)/[\w/]+\.(?:py|md)\b", TEXT)):
        assert (ROOT / path).is_file(), path

"""Data sets of small gray images: downloaded, read from IDX files or drawn, then written as text."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nn.datasets.synthetic import draw_digits

__all__ = ["draw_digits"]


def __getattr__(name: str) -> Any:
    """Import the public name when it is first asked for: generate_data.py says it where NumPy is missing."""
    if name not in __all__:
        raise AttributeError(f"module 'nn.datasets' has no attribute {name!r}")
    return getattr(import_module("nn.datasets.synthetic"), name)

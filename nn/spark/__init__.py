"""What uses Spark: sessions, reading, training and scoring on RDDs, and storage on any Hadoop file system."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nn.spark.user_functions import register_udf, udf

__all__ = ["register_udf", "udf"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'nn.spark' has no attribute {name!r}")
    return getattr(import_module("nn.spark.user_functions"), name)

"""Settings of Spark as Spark reads them."""

from __future__ import annotations


def is_true(value: str | None) -> bool:
    """Return whether a setting is on: Spark takes `true` in any case, with blanks around it."""
    return value is not None and value.strip().lower() == "true"

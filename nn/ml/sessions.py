"""Choose what serves the stages on a Spark session: the one place that knows classic sessions from Spark Connect."""

from __future__ import annotations

from typing import Any

from nn.spark.connect.context import is_connect
from nn.spark.frames.interface import FrameSession


def session_of(spark: Any) -> FrameSession:
    """Return what the stages need of a session."""
    if is_connect(spark):
        from nn.spark.frames.connect import ConnectSession

        return ConnectSession(spark)
    from nn.spark.frames.classic import ClassicSession

    return ClassicSession(spark)

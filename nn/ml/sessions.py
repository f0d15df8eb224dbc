"""Choose what serves the stages on a Spark session: the one place that knows classic sessions from Spark Connect."""

from __future__ import annotations

from typing import Any

from nn.core.errors import PlatformError
from nn.spark.frames.interface import FrameSession


def session_of(spark: Any) -> FrameSession:
    """Return what the stages need of a session. Raises PlatformError for one that cannot be served."""
    if type(spark).__module__.startswith("pyspark.sql.connect."):
        raise PlatformError("expected a session with a SparkContext, found one of Spark Connect")
    from nn.spark.frames.classic import ClassicSession

    return ClassicSession(spark)

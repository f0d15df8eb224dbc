"""Where a server refuses to keep rows, a line says what to name."""

import pytest
from pyspark.errors import PySparkException

from nn.core.errors import PlatformError
from nn.spark.connect import storage


class Frame:
    """One that a serverless server holds."""

    sparkSession = None  # noqa: N815 (Spark's name)

    def persist(self):
        raise PySparkException(
            "[NOT_SUPPORTED_WITH_SERVERLESS] PERSIST TABLE is not supported\nJVM stacktrace: ..."
        )


def test_a_server_without_a_cache_needs_a_folder(monkeypatch):
    monkeypatch.delenv(storage.FOLDER, raising=False)
    with pytest.raises(PlatformError) as error:
        storage.keep(Frame())
    assert str(error.value) == (
        "this server of Spark Connect keeps no rows in its cache ([NOT_SUPPORTED_WITH_SERVERLESS] PERSIST TABLE is not "
        "supported): name a folder that it can write to, on any of its file systems, in SPARKML_TEMP_DFS_PATH"
    )

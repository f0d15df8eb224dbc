"""Keep a DataFrame between jobs: Spark's cache, or files where that is refused.

Servers without a cache, such as serverless ones, name a folder for such files in SPARKML_TEMP_DFS_PATH; pyspark.ml
follows the same convention.
"""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import Any

from nn.core.errors import PlatformError
from nn.spark.runtime.errors import reason_of

FOLDER = "SPARKML_TEMP_DFS_PATH"


def keep(frame: Any) -> tuple[Any, str | None]:
    """Return a DataFrame with the same rows, which later jobs read, and the folder of its files, if they are there.

    Raises PlatformError where the server has no cache and no folder is named.
    """
    parent = os.environ.get(FOLDER)
    if parent:
        folder = f"{parent.rstrip('/')}/{uuid.uuid4().hex}"
        frame.write.parquet(folder)
        return frame.sparkSession.read.schema(frame.schema).parquet(folder), folder
    from pyspark.errors import PySparkException

    try:
        return frame.persist(), None
    except PySparkException as error:
        raise PlatformError(
            f"this server of Spark Connect keeps no rows in its cache ({reason_of(error)}): name a folder that it can "
            f"write to, on any of its file systems, in {FOLDER}"
        ) from error


def free(frame: Any, folder: str | None) -> None:
    """Free what `keep` keeps. Errors are ignored: a server that has gone keeps nothing."""
    with suppress(Exception):
        if folder is None:
            frame.unpersist()
        else:
            remove_folder(frame.sparkSession, folder)


def remove_folder(session: Any, path: str) -> None:
    """Remove a folder with all that is in it, if it exists."""
    from pyspark.ml import util

    if hasattr(util, "_remove_dfs_dir"):  # Spark 4.1
        util._remove_dfs_dir(path, session)
    else:  # all but an empty folder
        session.range(0).write.mode("overwrite").parquet(path)

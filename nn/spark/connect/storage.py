"""Keep a DataFrame between jobs: Spark's cache, or files where that is refused.

Servers without a cache, such as serverless ones, name a folder for such files in SPARKML_TEMP_DFS_PATH; pyspark.ml
follows the same convention.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from nn.core.errors import PlatformError
from nn.spark.runtime.errors import reason_of

FOLDER = "SPARKML_TEMP_DFS_PATH"


class Kept(NamedTuple):
    """Rows that are kept."""

    frame: Any  # a DataFrame that reads them
    free: Callable[[], Any]
    is_divided: bool  # whether its partitions are those of the rows: files are read in other pieces


def keep(frame: Any) -> Kept:
    """Keep the rows of a DataFrame. Raises PlatformError where the server has no cache and no folder is named."""
    session, name = frame.sparkSession, f"nn_{uuid.uuid4().hex}"
    parent = os.environ.get(FOLDER)
    if parent:
        folder = f"{parent.rstrip('/')}/{name}"
        frame.write.parquet(folder)
        files = session.read.schema(frame.schema).parquet(folder)
        return Kept(files, partial(remove_folder, session, folder), False)
    from pyspark.errors import PySparkException

    try:
        frame.persist()
    except PySparkException as error:
        raise PlatformError(
            f"this server of Spark Connect keeps no rows in its cache ({reason_of(error)}): name a folder that it can "
            f"write to, on any of its file systems, in {FOLDER}"
        ) from error
    # The plan of a DataFrame holds all that it is made of, which the server would analyze again for each job. A view
    # is analyzed once.
    frame.createOrReplaceTempView(name)
    return Kept(session.table(name), partial(_forget, frame, name), True)


def _forget(frame: Any, view: str) -> None:
    frame.sparkSession.catalog.dropTempView(view)
    frame.unpersist()


def can_remove() -> bool:
    """Return whether the server removes files and folders for a client: from Spark 4.1 on."""
    from pyspark.ml import util

    return hasattr(util, "_remove_dfs_dir")


def remove_folder(session: Any, path: str) -> None:
    """Remove a folder with all that is in it, if it exists."""
    from pyspark.ml import util

    if can_remove():
        util._remove_dfs_dir(path, session)
    else:  # all but an empty folder
        session.range(0).write.mode("overwrite").parquet(path)

"""ConnectContext: a session of Spark Connect with the parts of a SparkContext that training uses."""

from __future__ import annotations

import functools
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

import numpy as np

from nn.core import tree
from nn.core.format import size
from nn.spark.runtime import errors
from nn.spark.runtime.session import package_file

# Bytes of parameters from which a line says how they travel. Servers take requests of 128 MiB unless
# spark.connect.grpc.maxInboundMessageSize says otherwise.
LARGE = 100_000_000
MODULE = "pyspark.sql.connect"


def is_connect(session: Any) -> bool:
    """Return whether a session is one of Spark Connect."""
    return type(session).__module__.startswith(MODULE)


class PlanValue:
    """A value that travels in the plan of each job that uses it, with the interface of Spark's Broadcast."""

    def __init__(self, value: Any):
        self.value = value

    def destroy(self) -> None:
        """Do nothing: the value ends with the job."""


class ConnectContext:
    """A session of Spark Connect with the parts of a SparkContext that training uses."""

    def __init__(self, session: Any):
        self.session = session

    @functools.cached_property
    def defaultParallelism(self) -> int:  # noqa: N802 (Spark's name)
        """Return the number of tasks that the cluster runs at once: Spark divides a range into that many partitions."""
        from pyspark.sql import functions as sql

        numbers = self.session.range(1 << 20).select(sql.spark_partition_id().alias("partition"))
        return numbers.distinct().count()

    def setJobDescription(self, description: str | None) -> None:  # noqa: N802 (Spark's name)
        """Do nothing: jobs of Connect have no description."""

    def broadcast(self, value: Any) -> PlanValue:
        """Return a handle of a value, which travels in the plan: Connect has no broadcast. Warn where it is large."""
        total = sum(leaf.nbytes for leaf in tree.arrays(value) if isinstance(leaf, np.ndarray))
        if total > LARGE:
            warnings.warn(
                f"parameters of {size(total)} travel in the plan of each job, of which a server of Spark Connect takes "
                "128 MiB unless spark.connect.grpc.maxInboundMessageSize says otherwise; a classic session broadcasts "
                "them",
                stacklevel=2,
            )
        return PlanValue(value)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Interrupt the jobs that are begun inside `with` where a signal ends it; raise known errors as one line."""
        tag = f"nn-{uuid.uuid4()}"
        self.session.addTag(tag)
        try:
            yield
        except Exception as error:
            known = errors.translate(error)
            if known is None:
                raise
            raise known from error
        except BaseException:  # Ctrl-C and its like
            with suppress(Exception):
                self.session.interruptTag(tag)
            raise
        finally:
            self.session.removeTag(tag)

    def ship_package(self) -> None:
        """Make nn importable in the server's Python workers, once per session."""
        with _lock:
            if self.session not in _shipped:
                self.session.addArtifacts(package_file(), pyfile=True)
                _shipped.add(self.session)


_lock = threading.Lock()  # tuners fit in threads
_shipped: WeakSet[Any] = WeakSet()  # the sessions whose workers have the package

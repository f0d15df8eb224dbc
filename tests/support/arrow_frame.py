"""ArrowFrame: partitions of Arrow batches in this process, with the methods of a DataFrame that PackedRDD uses."""

# ruff: noqa: N802, N815 (Spark's names)

import random
from contextlib import nullcontext

import pyarrow as pa
from pyspark import cloudpickle

from nn.spark.connect import packed_rdd
from nn.spark.connect.context import PlanValue
from nn.spark.connect.packed_rdd import ORDER, PackedRDD, pack

SCHEMA = pa.schema([*((name, pa.int32()) for name in ORDER), (packed_rdd.VALUE, pa.binary())])


class ArrowFrame:
    """As Spark Connect, it sends a function by value, and gives the results of tasks in the order in which they end."""

    def __init__(self, partitions, journal=None):
        self.partitions = partitions
        self.journal = [] if journal is None else journal  # what was done, by name

    def _note(self, name, partitions):
        self.journal.append(name)
        return ArrowFrame(partitions, self.journal)

    def mapInArrow(self, function, schema):
        function = cloudpickle.loads(cloudpickle.dumps(function))
        return self._note("map", [list(function(iter(batches))) for batches in self.partitions])

    def toArrow(self):
        self.journal.append("collect")
        ended = list(self.partitions)
        random.Random(len(self.journal)).shuffle(ended)
        return pa.Table.from_batches([batch for batches in ended for batch in batches], SCHEMA)

    def persist(self):
        return self._note("persist", self.partitions)

    def unpersist(self):
        self.journal.append("unpersist")

    @property
    def sparkSession(self):
        return Session(self)

    def createOrReplaceTempView(self, name):
        self.journal.append("view")

    def repartition(self, count, column):
        """Place rows by a hash: tasks may hold rows of several partitions, in any order."""
        placed = [[] for _ in range(count)]
        rows = [row for batches in self.partitions for batch in batches for row in batch.to_pylist()]
        random.Random(1).shuffle(rows)
        for row in rows:
            placed[row[column] * 7 % 3 % count].append(row)
        return self._note("repartition", placed)

    def sortWithinPartitions(self, *columns):
        placed = [sorted(rows, key=lambda row: [row[name] for name in columns]) for rows in self.partitions]
        tables = [pa.Table.from_pylist(rows, SCHEMA) for rows in placed]
        return self._note("sort", [table.to_batches(max_chunksize=2) for table in tables])


class Session:
    """One whose only view is a frame."""

    def __init__(self, frame):
        self._frame = frame
        self.catalog = self

    def table(self, name):
        return self._frame

    def dropTempView(self, name):
        self._frame.journal.append("drop")


class Context:
    """Stands in for ConnectContext."""

    defaultParallelism = 2

    def setJobDescription(self, description):
        pass

    def broadcast(self, value):
        return PlanValue(value)

    def interruptible(self):
        return nullcontext()


def packed(partitions):
    """A PackedRDD of elements in partitions."""
    frame = ArrowFrame([list(pack(number, elements)) for number, elements in enumerate(partitions)])
    return PackedRDD(frame, Context(), len(partitions))

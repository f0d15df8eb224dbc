"""PackedRDD is an RDD to training: the same numbers, to the bit, in whatever order tasks end."""

from functools import partial, reduce
from operator import add

import numpy as np
import pytest

pytest.importorskip("pyarrow")

from nn.core import tree
from nn.data.local_rdd import LocalBroadcast, LocalRDD, local_rdd
from nn.io import nests
from nn.spark import aggregate
from nn.spark.backend import SparkBackend
from nn.spark.connect import packed_rdd
from nn.training import check_backend
from nn.training.backend import Facts
from nn.training.evaluation import evaluate
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from tests.support.arrow_frame import packed
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron

INPUTS, LABELS = blobs(300)


def partitions_of(count):
    blocks = local_rdd(INPUTS, LABELS, block_rows=30).partitions[0]
    return [
        blocks[number * len(blocks) // count : (number + 1) * len(blocks) // count] for number in range(count)
    ]


def test_packed_rows_keep_the_contract_of_a_backend():
    check_backend(lambda blocks: SparkBackend(packed(blocks.partitions)))


@pytest.mark.parametrize(
    "options", [{"sample": 0.7}, {"batch_size": 100}, {"average": "parameters"}], ids=str
)
def test_training_gives_the_bits_of_training_without_spark(options):
    recipe = Recipe.of(epochs=3, hidden=[8], validation_fraction=0.2, scale="standard", **options)
    partitions, ends = partitions_of(4), []
    for backend in (SparkBackend(packed(partitions), packed(partitions)), LocalBackend(LocalRDD(partitions))):
        run = TrainingRun.on(recipe, Facts(16, LABELS, 3, 255.0, partitions=4), backend)
        *_, last = run.epochs(backend)
        ends.append(([line[:6] for line in last.history], run.final_params(last)))
    (history, params), (expected, others) = ends
    assert history == expected
    assert all(map(np.array_equal, tree.arrays(params), tree.arrays(others)))


def test_a_score_is_that_of_the_rows_in_memory():
    model = multilayer_perceptron(16, 3, (8,), "sigmoid", "mse", scale=255.0)
    params = LocalBroadcast(model.init(0))
    partitions = partitions_of(3)
    there, here = (evaluate(rows, model, params) for rows in (packed(partitions), LocalRDD(partitions)))
    assert nests.to_bytes(there) == nests.to_bytes(here)


def test_elements_come_back_in_the_order_of_their_partitions():
    rows = packed([[1, 2], [], [3], [4, 5, 6]])
    assert rows.getNumPartitions() == 4
    assert rows.map(partial(add, 10)).collect() == [11, 12, 13, 14, 15, 16]
    assert rows.filter(_is_odd).flatMap(_twice).collect() == [1, 1, 3, 3, 5, 5]
    assert rows.mapPartitionsWithIndex(_placed).collect() == [(0, [1, 2]), (2, [3]), (3, [4, 5, 6])]
    assert rows.map(str).reduce(add) == "123456"


def _is_odd(number):
    return number % 2 == 1


def _twice(number):
    return [number, number]


def _placed(index, numbers):
    return [(index, list(numbers))]


def test_large_elements_travel_in_pieces(monkeypatch, rng):
    monkeypatch.setattr(packed_rdd, "CHUNK", 256)
    arrays = [rng.normal(size=size) for size in (1, 31, 100, 0)]
    rows = packed([arrays[:2], arrays[2:]])
    assert all(batch.num_rows == 1 for batches in rows._frame.partitions for batch in batches)
    assert sum(map(len, rows._frame.partitions)) > 6
    assert all(map(np.array_equal, rows.collect(), arrays))
    assert all(map(np.array_equal, rows.map(np.negative).persist().map(np.negative).collect(), arrays))


def test_elements_are_views_of_what_spark_sends(rng):
    import pyarrow

    array = rng.normal(size=1000)
    (sent,) = packed([[array]])._frame.partitions[0]
    (piece,) = packed_rdd._pieces([sent])
    assert np.shares_memory(nests.from_bytes(piece[1]), np.frombuffer(sent.column(4).buffers()[2], np.uint8))
    rows = pyarrow.concat_batches([sent, sent, sent]).slice(1)
    large = rows.set_column(4, "value", rows.column(4).cast(pyarrow.large_binary()))
    for batch in (rows, large):
        pieces = list(packed_rdd._pieces([batch]))
        assert len(pieces) == 2 and all(np.array_equal(nests.from_bytes(value), array) for _, value in pieces)


def test_results_can_be_changed_in_place():
    (array,) = packed([[np.ones(3)]]).collect()
    array *= 2
    assert array.tolist() == [2, 2, 2]


def test_persist_runs_the_stages_once_and_unpersist_frees():
    rows = packed([[1, 2], [3]])
    kept = rows.map(str).persist()
    journal = kept._frame.journal
    before = len(journal)
    assert kept.collect() == kept.collect() == ["1", "2", "3"]
    assert journal[before:] == ["map", "collect"] * 2 and journal[:before] == ["map", "persist", "view"]
    kept.unpersist()
    assert journal[-2:] == ["drop", "unpersist"]


def test_large_sums_are_added_in_groups_with_the_bits_of_an_rdd(monkeypatch, rng):
    monkeypatch.setattr(aggregate, "FLAT", 0)
    values = [rng.normal(size=50) for _ in range(30)]
    partitions = [values[number * 3 : number * 3 + 3] for number in range(10)]
    numbered = packed(partitions).mapPartitions(_as_sums)
    totals = aggregate.ordered_sums(numbered, [400, 400])
    groups = aggregate.group_count(10, 400)
    assert groups == 3
    sums = [reduce(add, part) for part in partitions]
    grouped = [
        [s for i, s in enumerate(sums) if aggregate.group_of(10, groups, i) == group] for group in range(3)
    ]
    expected = reduce(add, [reduce(add, group) for group in grouped])
    assert np.array_equal(totals[0].grads[0], expected) and np.array_equal(totals[1].grads[0], 2 * expected)


def _as_sums(values):
    from nn.training.records import Sums

    total = reduce(add, values)
    return [(0, Sums(grads=[total])), (1, Sums(grads=[2 * total]))]

"""A job for each trial: the same numbers as without Spark, named jobs, nothing left behind."""

import os
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import pytest

from nn.core import tree
from nn.core.errors import DataError
from nn.data.batches import RowSelection
from nn.data.local_rdd import LocalBroadcast, LocalRDD, local_rdd
from nn.data.split import Split
from nn.optim.first_order import FirstOrder
from nn.optim.optimizer import accepted_params
from nn.optim.parameter_averaging import ParameterAveraging
from nn.optim.regularization import Penalty
from nn.optim.rules import Momentum
from nn.optim.schedules import BoldDriver, Constant
from nn.spark import aggregate, backend
from nn.spark.input import reader
from nn.spark.storage.filesystem import Storage
from nn.training import check_backend, local
from nn.training.backend import Facts, Job, Objective
from nn.training.evaluation import evaluate
from nn.training.plan import Plan
from nn.training.recipe import Recipe
from nn.training.records import Progress
from nn.training.run import TrainingRun
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron
from tests.support.training import descend_on, measure_on, train

pytestmark = pytest.mark.spark

INPUTS, LABELS = blobs(300)
MODEL = multilayer_perceptron(16, 3, (8,), "sigmoid", "mse", scale=255.0)


def partitions_of(count):
    blocks = local_rdd(INPUTS, LABELS, block_rows=30).partitions[0]
    bounds = [len(blocks) * number // count for number in range(count + 1)]
    return [blocks[start:end] for start, end in pairwise(bounds)]


def trained(measure, **plan):
    descent = FirstOrder(Momentum(), BoldDriver(), 0.5)
    *_, last = train(measure, descent, Plan(300, 4, **plan), Progress(descent.init(MODEL.init(0))))
    return accepted_params(last.state), last.history


@pytest.mark.parametrize("plan", [{"sample": 0.7}, {"batch_size": 100}], ids=["sample", "batches"])
def test_training_on_spark_gives_the_bits_of_training_without(spark, plan):
    partitions = partitions_of(2)
    there, history = trained(
        measure_on(backend.SparkBackend(spark.parallelize(partitions, 2).flatMap(list)), MODEL), **plan
    )
    here, same = trained(measure_on(LocalRDD(partitions), MODEL), **plan)
    assert [line[:6] for line in history] == [line[:6] for line in same]
    for a, b in zip(tree.arrays(there), tree.arrays(here), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("plan", [{"sample": 0.7}, {"batch_size": 100}], ids=["sample", "batches"])
def test_training_in_other_partitions_is_the_same_to_rounding(spark, plan):
    ends = []
    for count in (1, 5):
        rdd = spark.parallelize(partitions_of(count), count).flatMap(list)
        ends.append(trained(measure_on(backend.SparkBackend(rdd), MODEL), **plan)[0])
    for a, b in zip(*map(tree.arrays, ends), strict=True):
        assert np.linalg.norm(a - b) <= 1e-5 * np.linalg.norm(a)


@pytest.mark.parametrize("options", [{"sample": 0.7}, {"average": "parameters"}], ids=["sample", "replica"])
def test_the_library_gives_the_bits_of_the_job_with_one_partition(spark, tmp_path, options):
    inputs = INPUTS / 7 - 3
    np.savetxt(tmp_path / "x.csv", inputs, fmt="%.17g", delimiter=",")
    np.savetxt(tmp_path / "y.csv", LABELS, fmt="%d")
    source = reader.Source("TRAIN", str(tmp_path / "x.csv"), str(tmp_path / "y.csv"))
    train_set, _ = reader.read_both(spark, Storage(spark), source, source, 1)
    recipe = Recipe.of(epochs=3, hidden=[8], **options)
    rows = backend.SparkBackend(train_set.blocks, train_set.cached)
    run = TrainingRun.on(recipe, train_set.facts, rows)
    *_, last = run.epochs(rows)
    fitted = local.fit(inputs, LABELS, recipe)
    assert fitted.classifier.model == run.model
    assert [line[:6] for line in fitted.history] == [line[:6] for line in last.history]
    for a, b in zip(*map(tree.arrays, (fitted.classifier.params, run.final_params(last))), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("average", ["gradients", "parameters"])
def test_frozen_weights_are_sent_once_for_a_run(spark, monkeypatch, average):
    monkeypatch.setattr(backend, "INLINE", 0)
    sent, freed = [], []

    @contextmanager
    def watched(context, payload, send=backend._sent):
        sent.append(payload)
        with send(context, payload) as handle:
            yield handle
        freed.append(payload)

    monkeypatch.setattr(backend, "_sent", watched)
    facts = Facts(16, LABELS, 3, 255.0, 2, are_pixels=True)
    options = {
        "hidden": [8],
        "batch_size": 100,
        "epochs": 2,
        "freeze": 2,
        "scale": "largest",
        "average": average,
    }
    runs = [TrainingRun.of(Recipe.of(**options, seed=seed), facts) for seed in (0, 1)]
    ends, on_spark = [], backend.SparkBackend(spark.parallelize(partitions_of(2), 2).flatMap(list))
    for rows in (
        on_spark,
        local.LocalBackend(LocalRDD(partitions_of(2))),
    ):
        ends += [run.final_params(last) for run in runs for last in [*run.epochs(rows)][-1:]]
    for run in runs:
        assert sum(payload is run.objective.frozen for payload in sent) == 1
    assert any(payload is runs[0].objective.frozen for payload in freed)  # as the second run begins
    assert not any(payload is runs[1].objective.frozen for payload in freed)
    on_spark.release()
    assert any(payload is runs[1].objective.frozen for payload in freed)
    for there, here in zip(ends[:2], ends[2:], strict=True):
        for a, b in zip(*map(tree.arrays, (there, here)), strict=True):
            assert np.array_equal(a, b)


def test_jobs_reuse_their_python_workers(spark):
    """A stage that left its input undrained would switch reuse off: a new process for each task."""
    rdd = spark.parallelize(partitions_of(2), 2).flatMap(list).cache()
    measure = measure_on(backend.SparkBackend(rdd), MODEL)
    workers = set()
    for epoch in range(6):
        measure(MODEL.init(0), RowSelection(0, epoch, 0.7))
        measure(MODEL.init(0), RowSelection(0, epoch, batch=0, batches=6, total=300))
        workers |= set(rdd.mapPartitions(lambda blocks: [list(blocks) and os.getpid()]).collect())
    assert len(workers) <= 4


@pytest.mark.parametrize(("inline", "broadcasts"), [(1 << 20, []), (0, [True, True])], ids=["small", "large"])
def test_large_parameters_are_broadcast_and_destroyed_and_small_ones_travel_in_the_tasks(
    spark, monkeypatch, inline, broadcasts
):
    monkeypatch.setattr(backend, "INLINE", inline)
    destroyed = []
    original = spark.broadcast

    class Watching:
        def __init__(self, value):
            self.inner = original(value)

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def __reduce__(self):
            return self.inner.__reduce__()

        def destroy(self):
            destroyed.append(True)
            self.inner.destroy()

    rdd = spark.parallelize(partitions_of(2), 2).flatMap(list)
    spark.broadcast = Watching
    averaging = ParameterAveraging(FirstOrder(Momentum()), batch_size=50)
    state = averaging.init(MODEL.init(0))
    try:
        sums = measure_on(backend.SparkBackend(rdd), MODEL)(state.trial, RowSelection())
        change = descend_on(backend.SparkBackend(rdd), MODEL)(averaging.ask(state), RowSelection())
    finally:
        del spark.broadcast
    assert destroyed == broadcasts
    assert sums.sampled == change.sampled == 300


def named(*selections, replicas=False):
    request = (
        ParameterAveraging(FirstOrder(Momentum())).ask if replicas else FirstOrder(Momentum(), Constant()).ask
    )
    state = (
        ParameterAveraging(FirstOrder(Momentum())) if replicas else FirstOrder(Momentum(), Constant())
    ).init([])
    return backend.describe([Job(Objective(MODEL), request(state), selection) for selection in selections])


def test_jobs_are_named_after_their_epoch():
    assert named(RowSelection(0, 3, 0.7)) == "epoch 3: gradients"
    assert named(RowSelection(0, 3, batch=4, batches=9)) == "epoch 3: gradients, batch 5 of 9"
    assert named(RowSelection(0, 3), replicas=True) == "epoch 3: replicas"
    assert named(RowSelection(0, 3, batch=1, batches=2), replicas=True) == "epoch 3: replicas, round 2 of 2"
    long = ParameterAveraging(FirstOrder(Momentum(), epochs=9), epochs_per_round=4)
    job = Job(Objective(MODEL), long.ask(long.init([])), RowSelection(0, 3))
    assert backend.describe([job]) == "epochs 3 to 6: replicas"
    assert named(RowSelection(0, 3, 0.0)) == "epoch 3: cost of all rows"
    assert named(RowSelection(0, 3, 0.0), RowSelection(0, 4)) == "epoch 3: cost of all rows, for 2 runs"


WIDE = multilayer_perceptron(16, 3, (40,), "relu", "cross-entropy", 255.0)


def jobs_side_by_side():
    """Jobs of two networks: gradients of a sample, of a mini-batch, a cost, and replicas; with and without penalty."""
    first_order, averaging = (
        FirstOrder(Momentum(), Constant()),
        ParameterAveraging(FirstOrder(Momentum()), batch_size=50),
    )
    for model, penalty in ((MODEL, Penalty(l2=0.1)), (WIDE, Penalty())):
        params, task = model.init(1), Objective(model, (), penalty)
        yield Job(task, first_order.ask(first_order.init(params)), RowSelection(1, 2, 0.7))
        yield Job(
            task, first_order.ask(first_order.init(params)), RowSelection(1, 2, batch=1, batches=4, total=300)
        )
        yield Job(task, first_order.ask(first_order.init(params)), RowSelection(1, 2, 0.0))
        yield Job(task, averaging.ask(averaging.init(params)), RowSelection(1, 2))


@pytest.mark.parametrize("limits", [{}, {"FLAT": 4000, "AT_ONCE": 20_000}], ids=["flat", "grouped"])
def test_a_job_has_the_bits_that_it_has_alone_whatever_runs_beside_it(spark, monkeypatch, limits):
    for name, limit in limits.items():
        monkeypatch.setattr(aggregate, name, limit)
    jobs = list(jobs_side_by_side())
    sizes = [aggregate.group_count(5, backend.size_of(job)) for job in jobs]
    assert (len(set(sizes)) > 1) == bool(limits)  # of some jobs groups are added on executors, of others not
    rows = backend.SparkBackend(spark.parallelize(partitions_of(5), 5).flatMap(list))
    alone = [rows.run([job])[0] for job in jobs]
    for found, expected in zip(rows.run(jobs), alone, strict=True):
        assert found[:4] == expected[:4]
        assert (found.grads is None) == (expected.grads is None)
        if found.grads is not None:
            for a, b in zip(tree.arrays(found.grads), tree.arrays(expected.grads), strict=True):
                assert np.array_equal(a, b)


@pytest.mark.parametrize("limits", [{}, {"FLAT": 400, "AT_ONCE": 2000}], ids=["flat", "grouped"])
def test_the_backend_keeps_its_contract(spark, monkeypatch, limits):
    for name, limit in limits.items():
        monkeypatch.setattr(aggregate, name, limit)

    def make(blocks):
        partitions = [*blocks.partitions, []]  # sums of four partitions or more are added in groups
        return backend.SparkBackend(spark.parallelize(partitions, 4).flatMap(list))

    check_backend(make)


def test_scoring_on_spark_gives_the_score_without(spark):
    partitions, params = partitions_of(2), MODEL.init(0)
    there = evaluate(spark.parallelize(partitions, 2).flatMap(list), MODEL, spark.broadcast(params))
    here = evaluate(LocalRDD(partitions), MODEL, LocalBroadcast(params))
    assert np.array_equal(there.confusion, here.confusion) and there.first == here.first
    assert there.loss == here.loss and len(there.examples) == len(here.examples)


def test_a_split_that_is_refused_leaves_no_rows_in_the_cache(spark):
    rows = spark.parallelize(partitions_of(2), 2).flatMap(list).persist()
    try:
        before = set(spark._jsc.getPersistentRDDs())
        with pytest.raises(DataError, match="training rows with a total weight above 0"):
            backend.SparkBackend(rows, rows).split(Split(300, class_weights=np.zeros(3)))
        assert set(spark._jsc.getPersistentRDDs()) == before
    finally:
        rows.unpersist()

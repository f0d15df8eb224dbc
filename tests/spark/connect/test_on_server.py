"""On a server of Spark Connect: DataFrames are packed, trained on and scored, and no row comes to the client."""

import re
import signal
import threading
import time

import numpy as np
import pyspark
import pytest

pytest.importorskip("pyspark", "4.0")
pytest.importorskip("grpc")

import nn
import nn.spark
from nn.core import tree
from nn.core.errors import DataError, PlatformError
from nn.data.block import Block
from nn.data.local_rdd import LocalBroadcast, LocalRDD
from nn.io import nests
from nn.spark.connect import context, storage
from nn.spark.connect.context import ConnectContext, is_connect
from nn.spark.connect.packed_rdd import PackedRDD, pack, schema
from nn.spark.frames.connect import ConnectSession
from nn.spark.frames.interface import FrameColumns, FrameRequest
from nn.spark.input.parsing import Parsed
from nn.training.evaluation import evaluate
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from tests.support.connect_server import LARGEST, connect_session

pytestmark = pytest.mark.spark

ROWS = 2500
RECIPE = Recipe.of(epochs=1, hidden=[6], optimizer="adam", average="parameters", scale="standard")


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    with connect_session(tmp_path_factory.mktemp("server")) as session:
        yield session


@pytest.fixture(scope="module")
def table(session):
    """1,000 rows or more in each of two partitions: columns a, b, c, pixels, label, weight and held_out."""
    import pandas

    rng = np.random.default_rng(5)
    values = rng.normal(size=(ROWS, 3)).astype(np.float32)
    pixels = rng.integers(0, 256, (ROWS, 70)).astype(np.uint8)
    columns = dict(zip("abc", values.T, strict=True))
    columns |= {"label": (values[:, 0] > values[:, 1]).astype(float), "weight": rng.uniform(0.5, 2, ROWS)}
    columns |= {"pixels": list(map(bytes, pixels)), "held_out": rng.random(ROWS) < 0.2}
    return session.createDataFrame(pandas.DataFrame(columns)).repartition(2, "a")


def request(features, **options):
    return FrameRequest(FrameColumns(features, "label", "weight", "held_out"), **options)


def trained(facts, backend):
    run = TrainingRun.on(RECIPE, facts, backend)
    *_, last = run.epochs(backend)
    return [line[:6] for line in last.history], run.final_params(last), run


def same_bits(one, other):
    return all(map(np.array_equal, tree.arrays(one), tree.arrays(other)))


def test_training_gives_the_bits_of_training_without_spark_on_the_same_blocks(session, table):
    from pyspark.sql import functions as sql

    assert is_connect(session)
    frame = table.select(sql.array("a", "b", "c").alias("features"), "label", "weight", "held_out")
    found = ConnectSession(session).read(frame, request("features"))
    facts = found.facts
    assert (facts.width, facts.classes, facts.partitions, len(facts.labels)) == (3, 2, 2, ROWS)
    blocks = found._blocks.mapPartitionsWithIndex(lambda index, part: [(index, b) for b in part]).collect()
    partitions = [[block for number, block in blocks if number == part] for part in range(2)]
    assert all(len(part) > 1 for part in partitions)
    rows = np.concatenate([block.rows for _, block in blocks])
    assert rows.tolist() == list(range(ROWS))
    assert np.array_equal(np.concatenate([block.labels for _, block in blocks]), facts.labels)
    backend = found.backend()
    history, params, run = trained(facts, backend)
    here = LocalBackend(LocalRDD(partitions))
    expected, others, _ = trained(facts, here)
    assert history == expected and same_bits(params, others)
    learned = here.blocks.filter(lambda block: not block.validation)
    score = backend.evaluate(run.model, params)
    assert score.rows == ROWS - facts.held_out.sum()
    assert nests.to_bytes(score) == nests.to_bytes(
        evaluate(learned, run.model, LocalBroadcast(params), with_rows=False)
    )
    found.release()


def test_a_pass_reads_the_rows_that_are_kept(session, table, capsys):
    found = ConnectSession(session).read(table, request(("a", "b")))
    found._blocks._mapped().explain()
    assert re.search(r"MapInArrow .*\n *\+- InMemoryTableScan", capsys.readouterr().out)
    assert found._cached._frame.storageLevel.useMemory
    assert [view.name for view in session.catalog.listTables()]
    found.release()
    assert not session.catalog.listTables()


def test_pixels_vectors_and_texts_are_read_as_such(session, table):
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import functions as sql

    pixels = ConnectSession(session).read(table, request("pixels", width=70))
    assert pixels.facts.are_pixels and pixels.facts.width == 70
    pixels.release()
    vectors = VectorAssembler(inputCols=["a", "b", "c"], outputCol="v").transform(table)
    found = ConnectSession(session).read(vectors, request("v"))
    assert found.facts.width == 3 and not found.facts.are_pixels
    found.release()
    texts = table.withColumn("text", sql.when(table.label == 1, "x").otherwise("y"))
    found = ConnectSession(session).read(texts, request(("a", "text")))
    assert [column.values for column in found.facts.columns] == [None, ("x", "y")]
    found.release()


def test_rows_in_a_number_of_partitions_are_placed_by_their_values(session, table, received):
    ends = []
    for frame in (table, table.orderBy("b").coalesce(1)):
        found = ConnectSession(session).read(frame, request(("a", "b"), partitions=3))
        assert found.facts.partitions == 3
        ends.append((found.facts.labels, trained(found.facts, found.backend())[1]))
        found.release()
    (labels, params), (others, same) = ends
    assert np.array_equal(labels, others) and same_bits(params, same)
    parts = [value[1] for value in received if isinstance(value, tuple) and isinstance(value[-1], Parsed)]
    assert sum(len(part.labels) for part in parts) == 2 * ROWS
    assert all(part.inputs.size == 0 and part.weights is None for part in parts)
    assert not any(isinstance(value, Block) for value in received)


@pytest.fixture
def received(monkeypatch):
    """All values that come to the client."""
    values, from_bytes = [], nests.from_bytes

    def keep(content):
        values.append(from_bytes(content))
        return values[-1]

    monkeypatch.setattr(nests, "from_bytes", keep)
    return values


def test_rows_are_kept_in_files_where_a_folder_is_named(session, table, tmp_path, monkeypatch):
    ends = []
    for folder in ("", str(tmp_path)):
        monkeypatch.setenv(storage.FOLDER, folder)
        found = ConnectSession(session).read(table, request(("a", "b")))
        assert found.facts.partitions == 2
        assert bool(folder) == bool(list(tmp_path.rglob("*.parquet")))
        ends.append((found.facts.labels, *trained(found.facts, found.backend())[:2]))
        found.release()
        left = [path.stat().st_size for path in tmp_path.rglob("*.parquet")]
        assert not left or (pyspark.__version__ < "4.1" and max(left) < 1000)  # an empty table
    (labels, history, params), (others, same, there) = ends
    assert np.array_equal(labels, others) and history == same and same_bits(params, there)


def test_a_bad_row_is_one_line(session, table):
    from pyspark.sql import functions as sql

    bad = table.withColumn("a", sql.when(table.label == 1, table.a))
    with pytest.raises(
        DataError, match="featuresCol: column 'a': expected finite numbers within float32, found"
    ):
        ConnectSession(session).read(bad, request(("a", "b")))


def test_an_interrupted_client_ends_its_tasks(session, table):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which tests side by side ignore
    found = ConnectSession(session).read(table, request(("a", "b")))
    timer = threading.Timer(1.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        found._blocks.map(lambda block: time.sleep(60)).collect()
    assert len(found._blocks.map(type).map(str).collect()) > 2  # the tasks' slots are free again
    assert time.monotonic() - began < 30
    found.release()


def test_large_parameters_are_a_line_and_too_large_ones_an_error(session, table, monkeypatch):
    connect = ConnectContext(session)
    connect.ship_package()
    params = [{"W": np.random.default_rng(0).random(LARGEST // 4)}]  # twice as much, which does not compress
    monkeypatch.setattr(context, "LARGE", LARGEST)
    with pytest.warns(UserWarning, match="parameters of 8.39 MB travel in the plan of each job"):
        handle = connect.broadcast(params)

    def one_element(batches):
        yield from pack(0, [sum(batch.num_rows for batch in batches)])

    rows = PackedRDD.kept(session.range(1).mapInArrow(one_element, schema()), connect)
    with pytest.raises(
        PlatformError, match="parameters travel in the plan of a job, which here is larger than"
    ):
        rows.map(lambda element: handle.value).collect()
    rows.unpersist()


def test_stages_of_pyspark_ml_fit_predict_save_and_load(session, table, tmp_path):
    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.ml.feature import VectorAssembler

    from nn.ml import NeuralNetworkClassifier

    assembler = VectorAssembler(inputCols=["a", "b", "c"], outputCol="features")
    stage = NeuralNetworkClassifier(layers=[3, 2], maxIter=4, seed=1)
    model = Pipeline(stages=[assembler, stage]).fit(table)
    model.write().overwrite().save(str(tmp_path))
    counts = [
        one.transform(table).filter("prediction = label").count()
        for one in (model, PipelineModel.load(str(tmp_path)))
    ]
    assert counts[0] == counts[1] == round(model.stages[-1].summary().accuracy * ROWS) > 0.8 * ROWS


def test_a_function_of_sql_predicts(session, table, tmp_path):
    inputs = np.random.default_rng(1).normal(size=(100, 2))
    classifier = nn.fit(inputs, (inputs[:, 0] > 0).astype(int), hidden=[4], epochs=3).classifier
    nn.save(tmp_path / "model.npz", classifier.model, classifier.params)
    predict = nn.spark.udf(session, str(tmp_path / "model.npz"))
    assert same_bits(nn.load(str(tmp_path / "model.npz"), session).params, classifier.params)
    rows = table.select("a", "b", predict("a", "b").alias("prediction")).take(50)
    expected = classifier.predict(np.array([[row.a, row.b] for row in rows], np.float32))
    assert [row.prediction for row in rows] == expected.tolist()


def test_files_are_written_and_read_through_the_server(session, tmp_path):
    files, content = ConnectSession(session), bytes(range(256)) * 8
    for path in (f"{tmp_path}/a/[b]/model.npz", f"file://{tmp_path}/model.npz"):
        assert files.read_file(path, 4096) is None
        files.write_file(path, content)
        assert files.read_file(path, 4096) == content
        with pytest.raises(ValueError, match="expected at most 100 bytes, found 2,048"):
            files.read_file(path, 100)
    with pytest.raises(
        PlatformError, match="cannot write s3a://b/m: a server of Spark Connect writes to its default"
    ):
        files.write_file("s3a://b/m", content)
    files.remove(f"{tmp_path}/a")
    assert not (tmp_path / "a" / "[b]" / "model.npz").exists()
    files.remove(f"{tmp_path}/nothing")


def test_a_checkpoint_is_removed_where_a_server_removes_no_files(session, table, tmp_path, monkeypatch):
    from pyspark.ml import util

    from nn.ml import NeuralNetworkClassifier

    monkeypatch.delattr(util, "_remove_dfs_dir", raising=False)  # as before Spark 4.1
    epochs = []
    estimator = NeuralNetworkClassifier(
        featuresCol=["a", "b"], layerSpec="dense:3", optimizer="adam", checkpointDir=str(tmp_path), maxIter=2
    )
    estimator.setCallback(lambda line: epochs.append(line.epoch))
    for interval, files in ((10, 0), (1, 1), (1, 1)):
        estimator.setCheckpointInterval(interval).fit(table)
        assert [path.stat().st_size for path in tmp_path.glob("*.npz")] == [0] * files
    assert epochs == [1, 2] * 3

"""Model files are read from every file system of a session."""

import numpy as np
import pytest

import nn
from nn.core.errors import UserError
from nn.spark.runtime import jvm

pytestmark = pytest.mark.spark


@pytest.fixture
def session(spark):
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()


def test_a_model_is_read_from_any_file_system_of_a_session(session, tmp_path):
    rows = np.random.default_rng(0).normal(size=(40, 3))
    classifier = nn.fit(rows, np.where(rows[:, 0] > 0, "up", "down"), hidden=3, epochs=3).classifier
    classifier.save(tmp_path / "model.npz")
    configuration = jvm.hadoop_configuration(session.sparkContext)
    configuration.set("fs.viewfs.mounttable.models.link./data", f"file://{tmp_path}")
    for path in (tmp_path / "model.npz", f"file://{tmp_path}/model.npz", "viewfs://models/data/model.npz"):
        found = nn.load(path, session)
        assert found.model == classifier.model and found.about == classifier.about
        assert found.predict(rows).tolist() == classifier.predict(rows).tolist()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{}/none.npz", "^no such file: "),
        ("{}/bad.npz", r"bad\.npz: cannot be read as a model: not an \.npz archive"),
        ("{}", "expected a model file, found a folder; a run's is .*/model.npz"),
        ("nowhere://host/model.npz", r"^model: this Spark has no connector for nowhere://"),
        ("", "^: cannot be read as a model: "),
    ],
)
def test_what_is_no_model_is_one_line(session, tmp_path, path, message):
    (tmp_path / "bad.npz").write_bytes(b"rubbish")
    with pytest.raises(UserError, match=message) as caught:
        nn.load(path.format(tmp_path), session)
    assert "\n" not in str(caught.value)

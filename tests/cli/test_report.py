"""What a run says of itself, where it depends on files that are but decoration."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from nn.cli import report
from nn.cli.options import Options
from nn.cli.run import names_of
from nn.data.decoding import TargetScale
from nn.layers import Dense
from nn.models.ranking import ranking
from nn.models.regression_losses import SquaredError
from nn.models.sequential import Sequential
from nn.spark.runtime.cluster import Executor
from nn.training.evaluation import Score
from nn.training.regression_score import RegressionScore, Sample
from tests.support.networks import multilayer_perceptron

UNNAMED = {"name": "x.csv", "class_names": None}


def described(content):
    """What is said of /data/x.csv and its 5 rows, with this dataset.json, or an error, beside it."""

    def read(path, most):
        assert path == "/data/dataset.json" and most <= 1 << 20
        if isinstance(content, Exception):
            raise content
        return content

    return names_of(SimpleNamespace(read=read), "/data/x.csv", 5)


def test_a_page_that_counts_the_same_rows_names_data_and_classes():
    page = {"name": "digits", "train_rows": 5, "classes": ["zero", "one"]}
    assert described(json.dumps(page).encode()) == {"name": "digits", "class_names": ["zero", "one"]}
    assert described(json.dumps({**page, "train_rows": 6}).encode()) == UNNAMED


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\xff",
        b"[" * 100_000,
        b'{"name": "a\\nb", "train_rows": 5}',
        b'{"name": "\\u001b[31m", "train_rows": 5}',
        json.dumps({"name": "x" * 10_000, "train_rows": 5}).encode(),
        IsADirectoryError("dataset.json"),
        ValueError("expected at most 1,048,576 bytes"),
    ],
)
def test_a_page_that_cannot_be_used_names_nothing(content):
    assert described(content) == UNNAMED


def test_class_names_that_would_break_a_line_are_left_out():
    page = {"name": "digits", "train_rows": 5, "classes": ["zero", "o\nne"]}
    assert described(json.dumps(page).encode()) == {"name": "digits", "class_names": None}


def test_the_test_line_of_two_classes_and_of_a_regression():
    model = multilayer_perceptron(2, 2, (2,), "tanh", "mse")
    ranks = ranking(np.array([[0.75, 0.25], [0.5, 0.5]]), np.array([0, 1]), True)
    score = Score(np.array([[1, 0], [1, 0]]), 1.0, (), (), (), ranks)
    assert report.test_line(score, model) == (
        "accuracy 50.00%: 1 of 2 rows wrong; macro precision 0.2500, recall 0.5000, F1 0.3333, ROC AUC 1.0000, "
        "log loss 0.4904"
    )
    of_values = Sequential((Dense(1),), (2,), SquaredError(), decoder=TargetScale(11.0, 2.0))
    sample = Sample(*np.zeros((3, 0)))
    errors = RegressionScore(1000, 2.0, 1500.0, 4000.0, 10.0, 8000.0, (), (), sample)
    assert report.test_line(errors, of_values) == (
        "rmse 2, mae 1.5, R2 0.5000 on 1,000 rows; always predicting the mean: rmse 3"
    )


@pytest.mark.parametrize(
    ("settings", "is_local", "noted"),
    [
        ({"spark.submit.deployMode": "cluster"}, True, True),
        ({"spark.submit.deployMode": "cluster"}, False, False),
        ({"spark.submit.deployMode": "client"}, True, False),
        ({"spark.submit.deployMode": "client", "spark.kubernetes.submitInDriver": "true"}, True, True),
        ({}, True, False),
    ],
)
def test_an_output_that_would_end_with_the_driver_s_machine_is_noted(settings, is_local, noted):
    context = SimpleNamespace(version="4", master="yarn", getConf=lambda: settings)
    lines = report.spark_line(context, [Executor("1", 4, 0)], Options(), SimpleNamespace(is_local=is_local))
    assert lines.splitlines()[0] == "spark     4 at yarn: 4 tasks at once"
    assert (len(lines.splitlines()) == 2) == noted == ("note      OUTPUT is on the disk" in lines)

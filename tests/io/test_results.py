"""Files that other programs read: plain numbers, fixed headers, exact round trips."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Category, Number, TableEncoder
from nn.io import results
from nn.models.ranking import ranking
from nn.training.evaluation import Example, Score, reliability_of
from nn.training.records import Epoch
from nn.training.regression_score import RegressionScore, Sample, ValueExample

HISTORY = [
    Epoch(1, 1.5, 0.25, 0.1, True, 70, 0.5),
    Epoch(2, float("inf"), np.float64(0.5), 0.1, False, 68, 0.25, 2.5, 0.75, 0.1, 0.01, 0.12, 0.02, 0.0),
]
SCORE = Score(
    np.array([[2, 1], [0, 0]]),
    1.5,
    ((0, 0), (1, 0)),
    (Example(7, 0, 1, 0.75, np.array([0, 255], np.uint8)),),
    (),
)


def test_history_files_hold_one_line_an_epoch():
    files = results.history_files(HISTORY)
    assert files["cost_history/part-00000"] == "1.5\ninf\n"
    assert files["accuracy_history/part-00000"] == "0.25\n0.5\n"
    assert files["history.csv"] == (
        "epoch,cost,accuracy,learning_rate,accepted,rows,seconds,val_cost,val_accuracy,"
        "schedule,read,compute,sum,update\n"
        "1,1.5,0.25,0.1,1,70,0.5,,,0.0,0.0,0.0,0.0,0.0\n"
        "2,inf,0.5,0.1,0,68,0.25,2.5,0.75,0.1,0.01,0.12,0.02,0.0\n"
    )


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_history_files_lose_no_bit(costs):
    files = results.history_files([Epoch(1, cost, 0.5, 0.1, True, 1, 0.1) for cost in costs])
    assert [float(line) for line in files["cost_history/part-00000"].split()] == costs


def test_score_files_are_as_the_original_and_plain():
    files = results.score_files(SCORE, ClassLabels())
    assert files["metrics/part-00000"].splitlines() == ["(1.0, 0.6666666666666666, 0.8)", "(0.0, 0.0, 0.0)"]
    assert files["tests/part-00000"] == "(0, 0)\n(1, 0)\n"
    assert files["confusion_matrix.csv"] == "truth\\prediction,0,1\n0,2,1\n1,0,0\n"
    assert files["examples.csv"] == "row,label,prediction,probability,x0,x1\n7,0,1,0.75,0,255\n"
    assert not any("np." in content for content in files.values())


def test_score_summary_is_json_with_fractions():
    about = json.loads(results.to_json(results.score_summary(SCORE, ClassLabels())))
    assert about["accuracy"] == 2 / 3 and about["errors"] == 1 and about["rows"] == 3
    assert about["classes"][0] == {"class": 0, "precision": 1.0, "recall": 2 / 3, "f1": 0.8, "support": 3}
    assert about["macro"]["f1"] == 0.4


NAMED = ClassLabels(("a, b", "2\n"))


def test_files_name_classes_that_have_names():
    files = results.score_files(SCORE, NAMED)
    assert files["tests/part-00000"] == '("a, b", "a, b")\n(2\\n, "a, b")\n'
    assert files["confusion_matrix.csv"] == 'truth\\prediction,"a, b",2\\n\n"a, b",2,1\n2\\n,0,0\n'
    assert files["examples.csv"].splitlines()[1] == '7,"a, b",2\\n,0.75,0,255'
    assert files["metrics/part-00000"] == results.score_files(SCORE, ClassLabels())["metrics/part-00000"]
    assert [entry["class"] for entry in results.score_summary(SCORE, NAMED)["classes"]] == ["a, b", "2\\n"]


def test_two_classes_have_scores_by_their_probabilities():
    ranks = ranking(np.array([[0.75, 0.25], [0.5, 0.5], [0.5, 0.5]]), np.array([0, 0, 1]), True)
    about = results.score_summary(SCORE._replace(ranking=ranks), ClassLabels())
    assert about["roc_auc"] == 0.75 and about["log_loss"] == -np.log([0.75, 0.5, 0.5]).sum() / 3
    assert "roc_auc" not in results.score_summary(SCORE, ClassLabels())
    one = ranking(np.array([[0.75, 0.25]]), np.array([0]), True)
    assert (
        json.loads(results.to_json(results.score_summary(SCORE._replace(ranking=one), NAMED)))["roc_auc"]
        is None
    )


VALUES = RegressionScore(
    4, 2.0, 6.0, 16.0, 10.0, 32.0,
    (ValueExample(3, 12.0, 8.0, np.array([0.5, -1], np.float32)),),
    (ValueExample(0, 9.5, 9.75, np.array([1, 2], np.float32)),),
    Sample(np.array([3, 0]), np.array([12.0, 9.5]), np.array([8.0, 9.75])),
)  # fmt: skip
TARGET = TargetScale(11.0, 2.0)


def test_a_regression_has_files_of_its_own():
    assert results.score_files(VALUES, TARGET) == {
        "examples.csv": "row,actual,prediction,error,x0,x1\n3,12.0,8.0,-4.0,0.5,-1.0\n0,9.5,9.75,0.25,1.0,2.0\n",
        "predicted.csv": "row,actual,predicted\n0,9.5,9.75\n3,12.0,8.0\n",
    }
    assert results.score_summary(VALUES, TARGET) == {
        **{"rmse": 2.0, "mae": 1.5, "r2": 0.5, "cost": 0.5, "rows": 4, "baseline": 3.0}
    }
    files = results.history_files([Epoch(1, 0.5, None, 0.1, True, 70, 0.5)])
    assert list(files) == ["cost_history/part-00000", "history.csv"]
    assert files["history.csv"].splitlines()[1] == "1,0.5,,0.1,1,70,0.5,,,0.0,0.0,0.0,0.0,0.0"


def test_examples_of_a_table_have_its_names_and_values():
    encoder = TableEncoder((Number("a,b", offset=1e6), Category("color", ("re,d", "blue"))))
    score = SCORE._replace(
        wrong=(
            Example(7, 0, 1, 0.75, np.array([0.5, 0], np.float32)),
            Example(8, 0, 1, 0.75, np.array([np.nan, -1], np.float32)),
        )
    )
    assert results.score_files(score, ClassLabels(), encoder)["examples.csv"] == (
        'row,label,prediction,probability,"a,b",color\n7,0,1,0.75,1000000.5,"re,d"\n8,0,1,0.75,,(another value)\n'
    )


def test_columns_whose_names_are_their_numbers_are_x0_and_on():
    encoder = TableEncoder((Number("0"), Number("1")))
    assert results.score_files(SCORE, ClassLabels(), encoder)["examples.csv"].startswith(
        "row,label,prediction,probability,x0,x1\n7,0,1,0.75,0.0,255.0\n"
    )


def test_json_has_no_numbers_that_json_has_not():
    assert json.loads(results.to_json({"a": [math.nan, 1.0], "b": math.inf})) == {"a": [None, 1.0], "b": None}


def test_bins_of_a_reliability_diagram_have_means_where_they_have_rows():
    sums = reliability_of(np.array([0.55, 0.5, 1.0], np.float32), np.array([True, False, True]))
    about = results.score_summary(SCORE._replace(reliability=sums + sums), ClassLabels())
    bins = json.loads(results.to_json(about))["reliability"]
    assert [entry["rows"] for entry in bins] == [0, 0, 0, 0, 0, 4, 0, 0, 0, 2]
    assert bins[0] == {"rows": 0, "probability": None, "correct": None}
    assert bins[5] == {"rows": 4, "probability": pytest.approx(0.525), "correct": 0.5}
    assert bins[9]["probability"] == bins[9]["correct"] == 1
    assert "reliability" not in results.score_summary(SCORE, ClassLabels())

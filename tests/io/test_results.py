"""Files that other programs read: plain numbers, fixed headers, exact round trips."""

import json
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nn.data.decoding import ClassLabels
from nn.io import results
from nn.training.evaluation import Example, Score
from nn.training.records import Epoch

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


def test_json_has_no_numbers_that_json_has_not():
    assert json.loads(results.to_json({"a": [math.nan, 1.0], "b": math.inf})) == {"a": [None, 1.0], "b": None}

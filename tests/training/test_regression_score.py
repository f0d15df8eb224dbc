"""The errors of a regression: in the target's unit, the same in any blocks, the largest first."""

from functools import partial

import numpy as np
import pytest

from nn.data.decoding import TargetScale
from nn.data.local_rdd import LocalBroadcast, LocalRDD, local_rdd
from nn.layers import Dense
from nn.models.regression_losses import Huber, SquaredError
from nn.models.sequential import Sequential
from nn.training import regression_score
from nn.training.evaluation import evaluate
from nn.training.regression_score import EXAMPLES, FIRST, SAMPLE

ROWS = 5000
RNG = np.random.default_rng(2)
INPUTS = RNG.normal(size=(ROWS, 3)).astype(np.float32)
ACTUAL = 1e6 + 50 * INPUTS[:, 0].astype(np.float64) + RNG.normal(0, 20, ROWS)


def model_of(loss=None):
    model = Sequential((Dense(1),), (3,), loss or SquaredError(), decoder=TargetScale(1e6, 50.0))
    params = model.init(1)
    params[0]["W"][:] = [[1], [0], [0.1]]
    return model, params


def scored(block_rows, loss=None, rows=ROWS):
    model, params = model_of(loss)
    blocks = local_rdd(INPUTS[:rows], ACTUAL[:rows], block_rows=block_rows)
    return evaluate(blocks, model, LocalBroadcast(params))


PREDICTED = 1e6 + 50 * (INPUTS[:, 0].astype(np.float64) + 0.1 * INPUTS[:, 2])
ERRORS = PREDICTED - ACTUAL


@pytest.mark.parametrize("block_rows", [ROWS, 1000, 37])
def test_scores_are_those_of_their_formulas_in_any_blocks(block_rows):
    score = scored(block_rows)
    assert score.rows == ROWS
    assert score.rmse == pytest.approx(np.sqrt(np.mean(ERRORS**2)), rel=1e-4)
    assert score.mae == pytest.approx(np.mean(np.abs(ERRORS)), rel=1e-4)
    assert score.r2 == pytest.approx(1 - np.sum(ERRORS**2) / np.sum((ACTUAL - ACTUAL.mean()) ** 2), rel=1e-5)
    assert score.cost == pytest.approx(np.mean(ERRORS**2) / 50**2, rel=1e-4)
    assert score.about == {"test_rmse": score.rmse}


def test_a_score_of_sums_alone_has_no_rows():
    model, params = model_of()
    blocks = local_rdd(INPUTS, ACTUAL, block_rows=1000)
    sums, whole = evaluate(blocks, model, LocalBroadcast(params), with_rows=False), scored(1000)
    assert sums[:6] == whole[:6] and sums.r2 == whole.r2
    assert not sums.examples and not any(len(values) for values in sums.sample)


def test_scores_are_those_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    model, params = model_of()
    predicted = model.decoder.decode(model.predict(params, INPUTS))
    score = scored(1000)
    assert score.r2 == pytest.approx(sklearn.r2_score(ACTUAL, predicted), abs=1e-10)
    assert score.mae == pytest.approx(sklearn.mean_absolute_error(ACTUAL, predicted), rel=1e-10)
    assert score.rmse == pytest.approx(sklearn.root_mean_squared_error(ACTUAL, predicted), rel=1e-10)


def test_the_cost_is_the_mean_of_the_loss():
    errors = np.abs(ERRORS / 50)
    expected = np.mean(np.where(errors <= 0.2, errors**2 / 2, 0.2 * (errors - 0.1)))
    assert scored(100, Huber(0.2)).cost == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("constant", [1e6, 1e6 + 30, 0.0])
def test_a_constant_s_error_is_known_without_the_rows(constant):
    assert scored(37).rmse_of(constant) == pytest.approx(np.sqrt(np.mean((ACTUAL - constant) ** 2)), rel=1e-9)


def test_values_that_are_all_equal_have_an_r2():
    score = scored(100)
    assert score._replace(deviations=0.0).r2 == 0.0
    assert score._replace(deviations=0.0, squared=0.0).r2 == 1.0


def test_examples_are_the_largest_errors_then_the_first_rows():
    score = scored(64)
    rows = [example.row for example in score.examples]
    largest = np.argsort(-np.abs(ERRORS), kind="stable")[: EXAMPLES - FIRST]
    assert rows[: EXAMPLES - FIRST] == largest.tolist()
    others = [row for row in range(EXAMPLES) if row not in set(largest.tolist())]
    assert rows[EXAMPLES - FIRST :] == others[:FIRST]
    for example in score.examples:
        assert example.actual == ACTUAL[example.row] and np.array_equal(example.inputs, INPUTS[example.row])
        assert example.error == pytest.approx(ERRORS[example.row], abs=1e-2)


def test_few_rows_are_all_examples_once():
    for rows in (1, 12, 40):
        assert sorted(example.row for example in scored(5, rows=rows).examples) == list(range(rows))


def test_the_sample_is_of_rows_whatever_their_blocks_and_partitions():
    one, many = scored(ROWS).sample.sorted(), scored(37).sample.sorted()
    assert len(one.rows) == SAMPLE == len(np.unique(one.rows))
    assert np.array_equal(one.rows, many.rows) and np.array_equal(one.actual, ACTUAL[one.rows])
    assert np.allclose(one.predicted, PREDICTED[one.rows], atol=0.01)
    assert 2300 < one.rows.mean() < 2700  # of all rows alike
    blocks = local_rdd(INPUTS, ACTUAL, block_rows=500).partitions[0]
    model, params = model_of()
    halves = LocalRDD([blocks[:3], blocks[3:]]).map(
        partial(regression_score.score_values, model, LocalBroadcast(params))
    )
    assert np.array_equal(halves.reduce(lambda a, b: a + b).sample.sorted().rows, one.rows)

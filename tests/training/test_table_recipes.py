"""The recipes for tables learn a small, noisy table, whatever the units of its columns."""

import numpy as np
import pytest

import nn
from tests.support import ROOT

ROWS, WIDTH = 900, 10
LEARNED, HELD_OUT = slice(0, 300), slice(300, ROWS)
UNITS = 10.0 ** np.arange(-3, 7)
RNG = np.random.default_rng(4)
STANDARD = RNG.standard_normal((ROWS, WIDTH))
SIGNAL = STANDARD[:, :3] @ [1.0, -0.6, 0.4]
VALUES = 1000 + 30 * (SIGNAL + RNG.normal(0, 1.2, ROWS))
NAMES = np.where(VALUES > 1010, "high", "low")
LABELS = {"regression": VALUES, "tabular": NAMES}


def predictions(recipe, units=UNITS):
    columns = {f"c{number}": column for number, column in enumerate((STANDARD * units).T)}
    learned, held_out = (
        {name: column[part] for name, column in columns.items()} for part in (LEARNED, HELD_OUT)
    )
    fit = nn.fit(learned, LABELS[recipe][LEARNED], ROOT / "recipes" / f"{recipe}.json")
    return fit.classifier.predict(held_out)


def r2(predicted):
    actual = VALUES[HELD_OUT]
    return 1 - np.mean((predicted - actual) ** 2) / actual.var()


def test_a_regression_of_few_noisy_rows_is_hardly_worse_than_least_squares():
    columns = np.c_[STANDARD, np.ones(ROWS)]
    weights, *_ = np.linalg.lstsq(columns[LEARNED], VALUES[LEARNED], rcond=None)
    assert r2(predictions("regression")) > r2(columns[HELD_OUT] @ weights) - 0.06


def test_classes_of_few_noisy_rows_are_nearly_those_of_the_rule():
    of_the_rule = np.where(1000 + 30 * SIGNAL > 1010, "high", "low")[HELD_OUT]
    assert np.mean(predictions("tabular") == NAMES[HELD_OUT]) > np.mean(of_the_rule == NAMES[HELD_OUT]) - 0.05


@pytest.mark.parametrize("recipe", LABELS)
def test_units_of_columns_make_no_difference(recipe):
    raw, standardized = predictions(recipe), predictions(recipe, units=1.0)
    if recipe == "tabular":
        assert np.mean(raw == standardized) > 0.98
    else:
        assert np.abs(raw - standardized).max() < 0.05 * VALUES.std()

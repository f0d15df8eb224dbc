"""Names at the ends of curves do not overlap, and stay close to their curves."""

import sys

import numpy as np
import pytest

from tests.support import ROOT

sys.path.append(str(ROOT / "benchmarks"))

from line_labels import SPACING, spread


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([0.0, 100.0], [0.0, 100.0]),
        ([50.0, 50.0], [50 - SPACING / 2, 50 + SPACING / 2]),
        ([0.0, 100.0, 101.0, 102.0], [0.0, 101 - SPACING, 101.0, 101 + SPACING]),
    ],
)
def test_names_move_apart_about_the_middle_of_their_curves(heights, expected):
    assert spread(heights) == pytest.approx(expected)


def test_no_two_names_overlap(rng):
    for count in range(1, 12):
        found = spread(sorted(rng.uniform(0, 200, count).tolist()))
        assert np.all(np.diff(found) >= SPACING - 1e-9)

"""Pictures by class: readable from one class to a thousand, whatever the classes are called."""

import numpy as np
import pytest

from nn.plotting.confusion import confusion_figure
from nn.plotting.metrics import metrics_figure
from nn.plotting.results import Scores
from nn.plotting.style import house_style
from tests.support.figures import HOSTILE, all_text, assert_readable

ABOUT = "mnist · test accuracy 97.03 %"


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def random_scores(k, seed=0):
    precision, recall = np.random.default_rng(seed).uniform(0, 1, (2, k))
    f1 = 2 * precision * recall / (precision + recall)
    macro = {"precision": precision.mean(), "recall": recall.mean(), "f1": f1.mean()}
    return Scores(precision, recall, f1, macro)


def random_counts(k, seed=0):
    counts = np.random.default_rng(seed).poisson(0.5, (k, k))
    np.fill_diagonal(counts, 90)
    return counts


NAMES = {
    "none": lambda k: None,
    "short": lambda k: [f"c{i}" for i in range(k)],
    "long": lambda k: [f"a rather long name of a class, number {i}" for i in range(k)],
    "hostile": lambda k: [HOSTILE[i % len(HOSTILE)] for i in range(k)],
}


@pytest.mark.parametrize(
    ("k", "names"),
    [
        (1, "none"), (2, "long"), (10, "short"), (10, "hostile"), (20, "long"),
        (40, "long"), (40, "hostile"), (41, "long"), (100, "hostile"), (1000, "long"),
    ],
)  # fmt: skip
def test_class_pictures_of_any_size_are_readable(k, names):
    chosen = NAMES[names](k)
    assert_readable(confusion_figure(random_counts(k), chosen, ABOUT))
    assert_readable(metrics_figure(random_scores(k), chosen, ABOUT))


def test_confusion_writes_counts_where_they_fit_and_names_the_worst_mistakes():
    counts = np.array([[50, 3, 0], [7, 40, 0], [0, 0, 0]])
    figure = confusion_figure(counts, ["cat", "dog", "$5$"], ABOUT)
    cells = {text.get_text() for text in figure.axes[0].texts}
    assert {"50", "3", "7", "40"} <= cells
    assert "0" not in cells
    assert "dog taken for cat (7×), cat taken for dog (3×)" in all_text(figure).replace("\u00a0", " ")
    assert "No mistakes" in all_text(confusion_figure(np.diag([5, 5]), None, ABOUT))
    crowded = confusion_figure(random_counts(21), None, ABOUT)
    assert len(crowded.axes[0].texts) == 1  # the second line of the title


def test_confusion_has_the_truth_in_its_rows():
    figure = confusion_figure(np.array([[8, 2], [0, 10]]), None, ABOUT)
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[0.8, 0.2], [0, 1]])
    assert figure.axes[0].get_ylabel() == "true class"


def test_metrics_draw_every_class_or_the_weakest():
    scores = random_scores(10)
    heights = [bar.get_height() for bar in metrics_figure(scores, None, ABOUT).axes[0].patches]
    np.testing.assert_allclose(heights, np.concatenate([scores.precision, scores.recall, scores.f1]))
    scores = random_scores(200)
    lower = metrics_figure(scores, None, ABOUT).axes[1]
    assert [label.get_text() for label in lower.get_xticklabels()] == [
        str(c) for c in np.argsort(scores.f1)[:20]
    ]

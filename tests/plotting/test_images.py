"""Pictures of images: mistakes are marked by more than color, and weights are columns on one scale."""

import math

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from nn.plotting.firstlayer import FirstLayer
from nn.plotting.images import samples_figure
from nn.plotting.results import Examples
from nn.plotting.shapes import image_shape
from nn.plotting.style import house_style
from nn.plotting.textfiles import NotDrawableError
from nn.plotting.weights import weights_figure
from tests.support.figures import HOSTILE, all_text, assert_readable, texts

ABOUT = "mnist · test accuracy 97.03 %"


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def random_examples(n=40, d=64, classes=10, seed=0):
    rng = np.random.default_rng(seed)
    labels, predictions = rng.integers(0, classes, (2, n))
    predictions[n // 2 :] = labels[n // 2 :]
    predictions[: n // 2] = (labels[: n // 2] + 1) % classes
    return Examples(labels, predictions, rng.uniform(0, 1, n), rng.integers(0, 256, (n, d)).astype(float))


def test_samples_mark_mistakes_by_more_than_color():
    figure = samples_figure(random_examples(), (8, 8), None, ABOUT)
    assert_readable(figure)
    frames = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    assert [frame.get_linewidth() > 2 for frame in frames] == [True] * 20 + [False] * 20
    written = [text.get_text() for text in figure.axes[0].texts]
    assert sum(text.startswith("✗") for text in written) == 20
    assert sum(text.startswith("✓") for text in written) == 20
    assert sum(text.startswith("is ") for text in written) == 20
    assert "20 of these 40 are mistakes" in all_text(figure)


@pytest.mark.parametrize("n", [1, 7, 40, 300])
def test_samples_of_any_number_and_with_hostile_names_are_readable(n):
    assert_readable(samples_figure(random_examples(n), (8, 8), HOSTILE, ""))


def test_samples_say_the_prediction_first_and_then_the_truth():
    one = Examples(np.array([3]), np.array([5]), np.array([0.6]), np.zeros((1, 4)))
    written = {text.get_text() for text in samples_figure(one, (2, 2), None, ABOUT).axes[0].texts}
    assert {"✗ 5", "is 3", "60 %"} <= written


def test_samples_stay_within_their_tile_when_names_are_long():
    figure = samples_figure(random_examples(), (8, 8), ["W" * 20 for _ in range(10)], ABOUT)
    captions = [text for text in texts(figure) if text.get_text().startswith(("✗", "✓", "is "))]
    tile = figure.axes[0].transData.transform([[0, 0], [1.1, 0]])
    assert max(text.get_window_extent().width for text in captions) < tile[1, 0] - tile[0, 0]


def test_samples_of_one_gray_and_unknown_probability_are_drawn():
    flat = Examples(np.array([0]), np.array([1]), np.array([math.nan]), np.full((1, 4), 7.0))
    assert "%" not in "".join(
        text.get_text() for text in samples_figure(flat, (2, 2), None, "").axes[0].texts
    )


@pytest.mark.parametrize(
    ("inputs", "declared", "shape"),
    [
        (784, None, (28, 28)),
        (784, (784,), (28, 28)),
        (784, (28, 28), (28, 28)),
        (784, (28, 28, 1), (28, 28)),
        (3072, (32, 32, 3), (32, 32, 3)),
        (600, (20, 30), (20, 30)),
        (784, (5, 5), (28, 28)),
        (12, (2, 2, 3), (2, 2, 3)),
        (36, (3, 4, 3), (3, 4, 3)),
    ],
)
def test_image_shape_is_what_the_model_declares_or_a_square(inputs, declared, shape):
    assert image_shape(inputs, declared) == shape


@pytest.mark.parametrize(
    ("inputs", "declared"), [(30, None), (1, None), (785, (785,)), (784, (1, 784)), (243, (3, 27, 3))]
)
def test_image_shape_says_when_there_is_no_image(inputs, declared):
    with pytest.raises(NotDrawableError, match=r"square|flat"):
        image_shape(inputs, declared)


def test_image_shape_does_not_make_a_square_of_four_channels():
    with pytest.raises(NotDrawableError, match="4 channels are neither gray nor color"):
        image_shape(64, (4, 4, 4))


def test_color_images_are_drawn_with_their_channels_innermost():
    examples = random_examples(d=48)
    figure = samples_figure(examples, (4, 4, 3), None, ABOUT)
    assert_readable(figure)
    shown = figure.axes[0].images[5].get_array()
    inputs = examples.inputs
    np.testing.assert_allclose(shown[1, 2], (inputs[5, 18:21] - inputs.min()) / (inputs.max() - inputs.min()))


@pytest.mark.parametrize(
    ("units", "said"), [(1, "all 1 units"), (64, "all 64 units"), (130, "first 100 of 130")]
)
def test_weights_are_columns_on_one_scale_about_zero(units, said):
    weights = np.random.default_rng(0).normal(size=(36, units))
    figure = weights_figure(FirstLayer(weights, (36,)), (6, 6), "mnist")
    assert_readable(figure)
    assert said in all_text(figure)
    image = figure.axes[0].images[0]
    low, high = image.get_clim()
    assert low == -high
    np.testing.assert_array_equal(image.get_array()[:6, :6], weights[:, 0].reshape(6, 6))


def test_weights_that_are_not_finite_or_colored_are_not_drawn():
    with pytest.raises(NotDrawableError, match="diverged"):
        weights_figure(FirstLayer(np.full((4, 2), np.nan), (4,)), (2, 2), "")
    with pytest.raises(NotDrawableError, match="color"):
        weights_figure(FirstLayer(np.ones((48, 2)), (4, 4, 3)), (4, 4, 3), "")
    assert_readable(weights_figure(FirstLayer(np.zeros((4, 2)), (4,)), (2, 2), ""))

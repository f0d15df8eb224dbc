"""Filters of a convolution as small images: shades on one scale, colors for three channels, one of many channels."""

import numpy as np
import pytest

from nn.plotting.firstlayer import Filters, FirstLayer, read_first_layer
from nn.plotting.style import house_style
from nn.plotting.textfiles import NotDrawableError
from nn.plotting.weights import filters_figure, weights_figure
from tests.support.figures import all_text, assert_readable
from tests.support.result_files import changed, message, write_model


@pytest.fixture(autouse=True)
def _style():
    with house_style():
        yield


def random_filters(kh, kw, c, f, seed=0):
    return Filters(np.random.default_rng(seed).normal(size=(kh, kw, c, f)), (28, 28, c))


def pixel(image, kernel, side, y, x, i=0):
    """The middle of pixel (y, x) of filter i of the first line; each filter pixel is `side` pixels wide."""
    gap = max(1, min(kernel) * side // 14)
    left = i * (kernel[1] * side + gap)
    return image[y * side + side // 2, left + x * side + side // 2]


@pytest.mark.parametrize(
    ("kernel", "c", "f", "said"),
    [
        ((5, 5), 1, 16, "all 16 filters of 5 x 5"),
        ((3, 3), 3, 130, "the first 100 of 130 filters of 3 x 3"),
        ((1, 1), 3, 1, "all 1 filters of 1 x 1"),
        ((1, 15), 1, 3, "of 1 x 15"),
        ((15, 1), 1, 3, "of 15 x 1"),
        ((30, 1), 1, 100, "of 30 x 1"),
        ((11, 11), 4, 64, "only the first of their 4 channels"),
    ],
)
def test_filters_of_any_shape_are_readable(kernel, c, f, said):
    figure = filters_figure(random_filters(*kernel, c, f), "a data set with rather a long name, drawn")
    assert_readable(figure)
    assert said in all_text(figure)
    assert ("only the first" in all_text(figure)) == (c == 4)
    assert ("mid-gray is zero" in all_text(figure)) == (c == 3)
    assert len(figure.axes) == (1 if c == 3 else 2)  # a bar of shades explains no colors
    width, height = figure.get_size_inches()
    assert width == 10
    assert 3 <= height <= 10.5


def test_filters_of_one_channel_are_shades_on_one_scale_about_zero():
    layer = random_filters(3, 5, 1, 4)
    image = figure_image(filters_figure(layer, ""))
    low, high = image.get_clim()
    assert low == -high
    for i in (0, 1):
        for y, x in ((0, 0), (2, 4), (1, 3)):
            assert pixel(image.get_array(), (3, 5), 5, y, x, i) == layer.weights[y, x, 0, i]


def test_filters_of_three_channels_are_colors_about_gray():
    weights = np.zeros((3, 3, 3, 1))
    weights[0, 1] = [[2.0], [-2.0], [1.0]]
    colors = figure_image(filters_figure(Filters(weights, (8, 8, 3)), "")).get_array()
    np.testing.assert_allclose(pixel(colors, (3, 3), 5, 0, 1), [1, 0, 0.75], atol=0.01)
    np.testing.assert_allclose(pixel(colors, (3, 3), 5, 1, 0), [0.5, 0.5, 0.5])


def test_filters_of_other_channels_show_the_first_on_its_own_scale():
    layer = random_filters(3, 3, 2, 4)
    layer.weights[:, :, 1] *= 1000
    image = figure_image(filters_figure(layer, ""))
    assert pixel(image.get_array(), (3, 3), 5, 2, 1, 1) == layer.weights[2, 1, 0, 1]
    assert image.get_clim()[1] < 10


def test_a_few_color_filters_have_white_between_them():
    colors = figure_image(filters_figure(random_filters(3, 3, 3, 4), "")).get_array()
    assert colors.shape == (31, 31, 3)
    assert (colors[15] == 1).all()
    assert (colors[:, 15] == 1).all()


def test_weights_taller_than_wide_leave_no_empty_columns():
    layer = FirstLayer(np.ones((16, 1)), (8, 2))
    assert figure_image(weights_figure(layer, (8, 2), "")).get_array().shape == (8, 2)


def test_filters_that_are_not_finite_are_not_drawn_or_left_blank():
    with pytest.raises(NotDrawableError, match="diverged"):
        filters_figure(Filters(np.full((3, 3, 1, 2), np.inf), (8, 8, 1)), "")
    for c in (1, 3):
        layer = random_filters(3, 3, c, 2)
        layer.weights[0, 0, 0, 0] = np.nan
        assert_readable(filters_figure(layer, ""))
    assert_readable(filters_figure(Filters(np.zeros((3, 3, 3, 2)), (8, 8, 3)), ""))


def figure_image(figure):
    return figure.axes[0].images[0]


CONVOLUTION = {
    "input_shape": [6, 7, 3],
    "layers": [{"name": "conv2d", "filters": 4, "kernel": [3, 5], "stride": [1, 1], "padding": "valid"}],
}
KERNELS = np.arange(180, dtype=np.float32).reshape(3, 5, 3, 4)


def test_read_first_layer_takes_the_filters_of_a_convolution(tmp_path):
    layer = read_first_layer(write_model(tmp_path, CONVOLUTION, {"0.W": KERNELS}))
    assert isinstance(layer, Filters)
    np.testing.assert_array_equal(layer.weights, KERNELS)
    assert layer.weights.dtype == np.float64
    assert layer.input_shape == (6, 7, 3)
    behind = changed(CONVOLUTION, ["layers"], [{"name": "dropout", "rate": 0.1}, *CONVOLUTION["layers"]])
    layer = read_first_layer(write_model(tmp_path, behind, {"1.W": KERNELS + 1}))
    np.testing.assert_array_equal(layer.weights, KERNELS + 1)


@pytest.mark.parametrize(
    ("address", "value", "expected"),
    [
        (["input_shape"], [126], "expected height, width and channels for a conv2d layer at ['input_shape']"),
        (
            ["input_shape", 2],
            1,
            "expected '0.W' of shape (3, 5, 1, 4) as its config says, found (3, 5, 3, 4)",
        ),
        (["layers", 0, "kernel"], [5, 3], "expected '0.W' of shape (5, 3, 3, 4) as its config says"),
        (
            ["layers", 0, "kernel"],
            [5],
            "expected a height and a width at ['layers'][0]['kernel'], found '[5]'",
        ),
        (["layers", 0, "kernel"], 5, "expected a list at ['layers'][0]['kernel']"),
        (["layers", 0, "filters"], 5, "expected '0.W' of shape (3, 5, 3, 5) as its config says"),
        (["layers", 0, "filters"], 0, "expected a whole number from 1 at ['layers'][0]['filters']"),
        (
            ["layers"],
            [{"name": "flatten"}, *CONVOLUTION["layers"]],
            "expected a layer that takes rows, after flatten at ['layers'][1]['name']",
        ),
    ],
)
def test_read_first_layer_names_what_does_not_fit_a_convolution(tmp_path, address, value, expected):
    path = write_model(tmp_path, changed(CONVOLUTION, address, value), {"0.W": KERNELS})
    assert expected in message(read_first_layer, path)

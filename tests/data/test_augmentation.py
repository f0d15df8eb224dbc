"""Augmented images are what their drawn numbers say, never more, and the same bits wherever a row is."""

import dataclasses
import math
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.core.random import AUGMENTATION, Key, uniform, uniforms
from nn.core.spec import config, from_config, parse_list, to_text
from nn.data import augmentation
from nn.data.augmentation import AUGMENTATIONS, Elastic, Flip, Rotate, Scale, Shift, apply_transforms, augment

ROWS = np.arange(20_000)
COMPOSED = (Shift(2), Rotate(15), Scale(0.2), Elastic(3), Flip())
LISTS = [(Shift(2),), (Shift(1.5),), (Rotate(15),), (Scale(0.2),), (Elastic(3),), (Flip(),), COMPOSED]
IDS = ["+".join(step.name for step in steps) for steps in LISTS]


def pictures(n, h=9, w=8, c=1, dtype=np.float32):
    return np.random.default_rng(5).random((n, h, w, c)).astype(dtype)


def given_numbers(*numbers):
    """A draw that gives every row these numbers."""
    return lambda count: np.tile(np.asarray(numbers, np.float64)[:count], (1, 1))


def share_of(value, most):
    """The number in [0, 1) that a step spreads to `value`."""
    return (value / most + 1) / 2


def read(image, x, y):
    """One place of an image (h, w), between its pixels, written out; 0 outside."""
    left, top = math.floor(x), math.floor(y)
    total = 0.0
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                total += (1 - abs(x - column)) * (1 - abs(y - row)) * image[row, column]
    return total


def redrawn(image, source):
    """The image (h, w) whose every pixel (x, y), seen from the centre, comes from source(x, y)."""
    h, w = image.shape
    out = np.zeros((h, w))
    for row in range(h):
        for column in range(w):
            x, y = source(column - (w - 1) / 2, row - (h - 1) / 2)
            out[row, column] = read(image, x + (w - 1) / 2, y + (h - 1) / 2)
    return out


# ---- the numbers ----


def test_uniforms_are_uniform_and_independent():
    drawn = uniforms(Key((3, 6, 1, 0)), ROWS, 3)
    assert drawn.shape == (len(ROWS), 3) and drawn.min() >= 0 and drawn.max() < 1
    for column in drawn.T:
        counts, _ = np.histogram(column, bins=50, range=(0, 1))
        assert ((counts - 400) ** 2 / 400).sum() < 100  # chi-square with 49 degrees: 1 in 10,000 above 94
    others = [
        uniforms(Key(key), ROWS, 1)[:, 0] for key in ((4, 6, 1, 0), (3, 5, 1, 0), (3, 6, 2, 0), (3, 6, 1, 1))
    ]
    columns = [*drawn.T, drawn[:, 0][np.r_[1 : len(ROWS), 0]], uniform(3, 6, 1, ROWS), *others]
    apart = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(apart).max() < 0.035  # 1 / sqrt(20,000) is 0.007


def test_uniforms_of_a_row_depend_neither_on_other_rows_nor_on_the_count():
    whole = uniforms(Key((3, 6)), ROWS, 5)
    assert np.array_equal(uniforms(Key((3, 6)), np.array([7, 0, 19_999]), 2), whole[[7, 0, 19_999], :2])
    assert uniforms(Key((3, 6)), ROWS[:0], 4).shape == (0, 4)


# ---- what a step does, by given numbers ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "steps",
    [
        (),
        (Shift(0),),
        (Rotate(0),),
        (Scale(0),),
        (Elastic(0),),
        (Shift(0.0), Rotate(0), Scale(0), Elastic(0)),
    ],
)
def test_transforms_of_strength_0_change_nothing(steps, dtype):
    for shape in ((9, 8), (8, 9), (1, 1), (7, 7)):
        x = pictures(6, *shape, dtype=dtype)
        out = augment(steps, x, np.arange(6), 0, 1)
        assert np.array_equal(out, x) and out.dtype == dtype and not np.shares_memory(out, x)


def test_shift_alone_moves_a_pixel_by_the_whole_pixels_drawn():
    x = np.zeros((1000, 11, 10, 1), np.float32)
    x[:, 5, 4] = 0.7
    out = augment((Shift(3),), x, np.arange(1000), 4, 2)
    by = np.floor(uniforms(Key((4, AUGMENTATION, 2, 0)), np.arange(1000), 2) * 7).astype(int) - 3
    expected = np.zeros_like(x)
    expected[np.arange(1000), 5 + by[:, 1], 4 + by[:, 0]] = np.float32(0.7)
    assert np.array_equal(out, expected)
    counts = np.bincount(7 * by[:, 0] + by[:, 1] + 24, minlength=49)
    assert len(counts) == 49
    assert (
        (counts - 1000 / 49) ** 2 / (1000 / 49)
    ).sum() < 98  # chi-square with 48 degrees: 1 in 40,000 above 98


def test_shift_fills_with_zeros():
    out = apply_transforms((Shift(2),), np.ones((1, 4, 5, 1), np.float32), [given_numbers(0.99, 0.0)])[
        0, :, :, 0
    ]
    assert np.array_equal(out, [[0, 0, 1, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
    out = apply_transforms((Shift(100),), np.ones((1, 4, 5, 1), np.float32), [given_numbers(0.99, 0.01)])
    assert not out.any()


def test_shift_by_fractions_of_a_pixel_interpolates():
    x = np.zeros((1, 5, 6, 1), np.float64)
    x[0, 2, 2] = 1
    draw = given_numbers(share_of(1.25, 1.5), share_of(-0.5, 1.5))
    out = apply_transforms((Shift(1.5),), x, [draw])[0, :, :, 0]
    expected = np.zeros((5, 6))
    expected[1:3, 3], expected[1:3, 4] = 0.75 / 2, 0.25 / 2
    assert np.allclose(out, expected, atol=1e-12)


def test_shift_with_other_transforms_is_by_fractions_of_a_pixel():
    out = augment((Shift(2), Scale(0)), pictures(50), np.arange(50), 0, 1)
    assert not np.isin(out[:, 3:6, 3:5], pictures(50)).any()


@pytest.mark.parametrize("shape", [(7, 7), (6, 6)])
def test_rotate_by_a_right_angle_is_anticlockwise(shape):
    x = pictures(1, *shape, dtype=np.float64)
    for degrees, turns in ((90, 1), (-90, -1), (-180, 2)):
        out = apply_transforms((Rotate(180),), x, [given_numbers(share_of(degrees, 180))])
        assert np.allclose(out[0], np.rot90(x[0], turns), atol=1e-12)


def test_rotate_keeps_the_aspect_ratio_and_the_center():
    x = np.zeros((1, 5, 11, 1), np.float32)
    x[0, 2, 3:8] = 1  # a bar of five through the centre
    out = apply_transforms((Rotate(90),), x, [given_numbers(0.0)])[0, :, :, 0]
    assert np.allclose(out[:, 5], 1, atol=1e-5) and out.sum() == pytest.approx(5, abs=1e-4)


def test_scale_enlarges_about_the_center():
    x = np.zeros((1, 9, 9, 1), np.float64)
    x[0, 3:6, 3:6] = 1
    out = apply_transforms((Scale(0.5),), x, [given_numbers(share_of(0.5, 0.5))])[0, :, :, 0]
    assert np.array_equal(out, redrawn(x[0, :, :, 0], lambda a, b: (a / 1.5, b / 1.5)))
    assert out[4, 4] == 1 and out.sum() == pytest.approx(9 * 1.5**2, rel=0.15)
    out = apply_transforms((Scale(0.5),), x, [given_numbers(share_of(-0.5, 0.5))])[0, :, :, 0]
    assert 0 < out.sum() < 9


def test_flip_mirrors_half_of_the_rows_left_to_right():
    x = pictures(2000, 3, 4)
    out = augment((Flip(),), x, np.arange(2000), 0, 1)
    mirrored = (out == x[:, :, ::-1]).all(axis=(1, 2, 3))
    assert ((out == x).all(axis=(1, 2, 3)) != mirrored).all()
    assert abs(mirrored.mean() - 0.5) < 0.05
    assert np.array_equal(mirrored, uniforms(Key((0, AUGMENTATION, 1, 0)), np.arange(2000), 1)[:, 0] < 0.5)


def test_flip_and_shift_stay_sharp():
    x = pictures(40, 9, 8)
    first = augment((Flip(), Shift(2)), x, np.arange(40), 0, 1)
    draws = [uniforms(Key((0, AUGMENTATION, 1, place)), np.arange(40), 2) for place in (0, 1)]
    mirrored = np.where(draws[0][:, :1, None, None] < 0.5, x[:, :, ::-1], x)
    for row, (a, b) in enumerate(np.floor(draws[1] * 5).astype(int) - 2):
        expected = redrawn(mirrored[row, :, :, 0], lambda x, y, a=a, b=b: (x - a, y - b))
        assert np.array_equal(first[row, :, :, 0], expected.astype(np.float32))


def test_transforms_are_combined_before_one_interpolation():
    image = pictures(1, 8, 11, dtype=np.float64)
    angle, factor, shift = np.deg2rad(25), 1.2, (1.75, -0.5)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = (Rotate(50), given_numbers(0.75), lambda x, y: (cos * x - sin * y, sin * x + cos * y))
    move = (
        Shift(3.5),
        given_numbers(share_of(shift[0], 3.5), share_of(shift[1], 3.5)),
        lambda x, y: (x - shift[0], y - shift[1]),
    )
    grow = (Scale(0.4), given_numbers(0.75), lambda x, y: (x / factor, y / factor))
    flip = (Flip(), given_numbers(0.2), lambda x, y: (-x, y))
    pairs = [(move, turn), (turn, move), (turn, turn), (grow, move), (move, flip)]
    for order in (*pairs, (grow, move, turn), (turn, flip, turn), (flip, turn, grow, move)):
        steps, draws, sources = zip(*order, strict=True)

        def source(x, y, sources=sources):
            for back in reversed(sources):
                x, y = back(x, y)
            return x, y

        out = apply_transforms(steps, image, draws)[0, :, :, 0]
        assert np.allclose(out, redrawn(image[0, :, :, 0], source), atol=1e-10)


# ---- elastic ----


def random_draw(n, seed=0):
    return lambda count: np.random.default_rng(seed).random((n, count))


@pytest.mark.parametrize(
    ("shape", "smooth"), [((28, 28), 4.0), ((5, 40), 2.0), ((13, 1), 0.5), ((6, 6), 100.0)]
)
def test_elastic_adds_exactly_in_any_order(shape, smooth):
    """Whole numbers, which no order of addition changes, give the same field."""
    over_h, over_w = (
        (augmentation._splines(length, smooth).astype(np.float64) * 256).astype(np.int64) for length in shape
    )
    drawn = random_draw(7)(2 * over_h.shape[1] * over_w.shape[1])
    grid = np.floor(drawn * 257).astype(np.int64).reshape(7, 2, over_h.shape[1], over_w.shape[1]) - 128
    total = np.zeros((7, 2, *shape), np.int64)
    for i in range(over_h.shape[1]):
        for j in range(over_w.shape[1]):
            total += grid[:, :, i, j, None, None] * over_h[:, None, i] * over_w[:, j]
    field = Elastic(1, smooth).displacement(random_draw(7), *shape)
    assert field.dtype == np.float32
    assert np.array_equal(field, total / 2.0**23)


def test_elastic_weights_are_cubic_splines_that_sum_to_one():
    weights = augmentation._splines(28, 4.0)
    assert weights.shape == (28, 7) and weights.min() == 0
    assert np.array_equal(weights.sum(axis=1), np.ones(28)) and np.array_equal(weights % 2.0**-8, 0 * weights)
    assert weights[0, :4].tolist() == pytest.approx([1 / 6, 2 / 3, 1 / 6, 0], abs=1 / 256)
    spacing = math.sqrt(3) * 4
    places = (np.arange(7) - 1) * spacing
    assert np.allclose(weights @ places, np.arange(28), atol=0.1)  # a spline of a straight line is that line
    deviations = weights @ places**2 - (weights @ places) ** 2
    assert np.allclose(np.sqrt(deviations), 4, atol=0.1)


def test_elastic_displacements_are_smooth_and_within_the_strength():
    field = Elastic(5).displacement(random_draw(2000), 28, 28)
    assert np.abs(field).max() <= 5
    assert field.std() == pytest.approx(0.28 * 5, rel=0.03)
    assert np.abs(field.mean(axis=0)).max() < 0.2
    beside = np.abs(np.diff(field, axis=2)).max(), np.abs(np.diff(field, axis=3)).max()
    assert (
        max(beside) < 2 / 3 * 2 * 5 / (math.sqrt(3) * 4) * 1.6
    )  # the steepest spline, with the weights' rounding
    assert abs(np.corrcoef(field[:, 0].ravel(), field[:, 1].ravel())[0, 1]) < 0.05
    assert np.abs(Elastic(2).displacement(lambda count: np.full((1, count), 1 - 2**-53), 9, 9) - 2).max() == 0
    assert np.abs(Elastic(2).displacement(lambda count: np.zeros((1, count)), 9, 9) + 2).max() == 0


def test_elastic_displacements_are_added_to_the_affine_map():
    image = pictures(1, 9, 12, dtype=np.float64)
    field = Elastic(2, smooth=1.5).displacement(random_draw(1), 9, 12)[0]
    for steps, draws in (
        ((Elastic(2, smooth=1.5), Scale(0.5)), (random_draw(1), given_numbers(0.75))),
        ((Scale(0.5), Elastic(2, smooth=1.5)), (given_numbers(0.75), random_draw(1))),
    ):

        def source(x, y):
            column, row = round(x + 5.5), round(y + 4)
            return x / 1.25 + field[0, row, column], y / 1.25 + field[1, row, column]

        out = apply_transforms(steps, image, draws)[0, :, :, 0]
        assert np.allclose(out, redrawn(image[0, :, :, 0], source), atol=1e-10)


# ---- the whole way ----


@pytest.mark.parametrize("steps", LISTS, ids=IDS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_augment_gives_a_row_the_same_bits_in_any_block_and_order(steps, data):
    # A block of 120 rows of 28 by 28 is worked on in two chunks.
    x, rows, whole = bits_of(steps)
    chosen = np.array(data.draw(st.lists(st.integers(0, len(x) - 1), max_size=30, unique=True)), np.int64)
    assert np.array_equal(augment(steps, x[chosen], rows[chosen], 9, 3), whole[chosen])
    cut = data.draw(st.integers(0, len(x)))
    parts = [augment(steps, x[part], rows[part], 9, 3) for part in (slice(0, cut), slice(cut, None))]
    assert np.array_equal(np.concatenate(parts), whole)


@lru_cache
def bits_of(steps):
    x, rows = pictures(120, 28, 28), np.random.default_rng(1).permutation(60_000)[:120]
    return x, rows, augment(steps, x, rows, 9, 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_augment_gives_a_row_the_same_bits_alone_and_among_a_thousand(dtype):
    x, rows = pictures(1000, 12, 12, dtype=dtype), np.arange(500, 1500)
    for steps in LISTS:
        whole = augment(steps, x, rows, 0, 1)
        for at in (0, 1, 499, 998, 999):
            assert np.array_equal(augment(steps, x[at : at + 1], rows[at : at + 1], 0, 1)[0], whole[at])


@pytest.mark.parametrize("steps", LISTS, ids=IDS)
@pytest.mark.parametrize("shape", [(28, 28, 1), (5, 9, 3), (9, 4, 2), (1, 1, 1), (1, 6, 1)])
def test_augment_keeps_shape_dtype_and_its_inputs(steps, shape):
    for dtype in (np.float32, np.float64):
        x, rows = pictures(6, *shape, dtype=dtype), np.arange(6)
        before = x.copy()
        out = augment(steps, x, rows, 0, 1)
        assert out.shape == x.shape and out.dtype == dtype and out.flags.c_contiguous
        assert np.array_equal(x, before) and np.array_equal(rows, np.arange(6))
        assert out.min() >= 0 and out.max() <= 1 + 1e-6
        assert augment(steps, x[:0], rows[:0], 0, 1).shape == (0, *shape)


@pytest.mark.parametrize("steps", LISTS, ids=IDS)
def test_augment_does_not_depend_on_the_memory_order(steps):
    x = pictures(6, 7, 9, 2)
    rows_last = np.ascontiguousarray(x.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2)
    out = augment(steps, rows_last, np.arange(6), 0, 1)
    assert np.array_equal(out, augment(steps, x, np.arange(6), 0, 1)) and out.flags.c_contiguous


@pytest.mark.parametrize("steps", LISTS, ids=IDS)
def test_augment_transforms_channels_independently(steps):
    x = pictures(5, 7, 9, 3)
    out = augment(steps, x, np.arange(5), 0, 1)
    for channel in range(3):
        alone = augment(steps, x[..., channel : channel + 1], np.arange(5), 0, 1)
        assert np.array_equal(out[..., channel : channel + 1], alone)


@pytest.mark.parametrize("steps", LISTS, ids=IDS)
def test_augment_changes_with_epoch_and_seed_and_from_row_to_row(steps):
    x = np.repeat(pictures(1, 28, 28), 50, axis=0)
    one = augment(steps, x, np.arange(50), 1, 1)
    for seed, epoch in ((1, 2), (2, 1)):
        other = augment(steps, x, np.arange(50), seed, epoch)
        assert (one != other).any(axis=(1, 2, 3)).mean() > 0.3
    assert len(np.unique(one.reshape(50, -1), axis=0)) > (1 if steps == (Flip(),) else 15)


def test_augment_draws_each_transform_independently():
    x = pictures(300, 28, 28)
    twice = augment((Flip(), Flip()), x, np.arange(300), 0, 1)
    assert 0.3 < (twice == x).all(axis=(1, 2, 3)).mean() < 0.7  # the same draw twice would give x each time


def test_augment_stays_within_the_given_limits():
    x = np.zeros((3000, 31, 31, 1))
    x[:, 15, 25] = 1  # ten pixels right of the centre
    places = np.arange(31.0) - 15

    def centres(steps):
        out = augment(steps, x, np.arange(3000), 0, 1)[..., 0]
        mass = out.sum(axis=(1, 2))
        return (out.sum(axis=1) @ places) / mass, (out.sum(axis=2) @ places) / mass

    right, down = centres((Shift(2.5),))
    for moved in (right - 10, down):
        assert 2.4 < moved.max() <= 2.5 and -2.5 <= moved.min() < -2.4
        assert_even(moved, -2.5, 2.5)
    assert abs(np.corrcoef(right, down)[0, 1]) < 0.1
    angle = np.rad2deg(np.arctan2(*centres((Rotate(30),))[::-1]))
    # The centre of the four pixels that share one is off by up to half a degree here.
    assert 29 < angle.max() < 30.6 and -30.6 < angle.min() < -29
    factor = centres((Scale(0.2),))[0] / 10
    assert 1.18 < factor.max() < 1.24 and 0.76 < factor.min() < 0.82


def assert_even(values, lowest, highest):
    counts, _ = np.histogram(values, bins=20, range=(lowest, highest))
    expected = len(values) / 20
    assert (
        (counts - expected) ** 2 / expected
    ).sum() < 50  # chi-square with 19 degrees: 1 in 10,000 above 50


@pytest.mark.parametrize(
    ("step", "field"), [(Rotate(20), "angle"), (Scale(0.3), "factor"), (Shift(4), "pixels")]
)
def test_random_amounts_are_uniform_up_to_the_limit(step, field):
    move = step.affine_map(lambda count: uniforms(Key((0, 6, 1)), ROWS[:5000], count), False)
    if field == "angle":
        assert_even(np.rad2deg(np.arctan2(move.yx, move.yy)), -20, 20)
        assert np.allclose(move.xx * move.yy - move.xy * move.yx, 1)
    elif field == "factor":
        assert_even(1 / move.xx, 0.7, 1.3)
        assert np.array_equal(move.xx, move.yy)
    else:
        assert_even(move.x0, -4, 4)
        assert_even(move.y0, -4, 4)
        assert np.abs([move.x0, move.y0]).max() <= 4


def test_augment_keeps_most_of_the_ink():
    x = np.zeros((500, 28, 28, 1), np.float32)
    x[:, 6:22, 8:20] = pictures(500, 16, 12)
    for steps in ((Shift(2), Rotate(15)), (Elastic(3),), (Shift(1.5),), COMPOSED):
        ink = augment(steps, x, np.arange(500), 0, 1).sum() / x.sum()
        assert ink == pytest.approx(1, abs=0.05)


# ---- words and mistakes ----


def test_augmentations_are_read_back_from_words_and_json():
    steps = parse_list("shift:2,rotate:10,scale:0.1,elastic:5:smooth=3,flip", AUGMENTATIONS, "augmentation")
    assert steps == (Shift(2.0), Rotate(10.0), Scale(0.1), Elastic(5.0, smooth=3.0), Flip())
    assert parse_list("elastic:2", AUGMENTATIONS, "augmentation") == (Elastic(2.0, 4.0),)
    assert ",".join(map(to_text, steps)) == "shift:2,rotate:10,scale:0.1,elastic:5:smooth=3,flip"
    assert tuple(from_config(config(step), AUGMENTATIONS, "augmentation") for step in steps) == steps
    assert list(AUGMENTATIONS) == ["shift", "rotate", "scale", "elastic", "flip"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        steps[0].pixels = 3


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Shift(-1), r"Shift pixels must be a number in \[0, 1000\], got -1$"),
        (lambda: Shift(math.nan), "Shift pixels .* got nan$"),
        (lambda: Shift(math.inf), "Shift pixels .* got inf$"),
        (lambda: Shift(True), "Shift pixels .* got True$"),
        (lambda: Shift("2"), "Shift pixels .* got '2'$"),
        (lambda: Rotate(181), r"Rotate degrees must be a number in \[0, 180\], got 181$"),
        (lambda: Scale(1.0), r"Scale share must be a number in \[0, 0.9\], got 1.0$"),
        (lambda: Elastic(-0.5), r"Elastic strength must be a number in \[0, 1000\], got -0.5$"),
        (lambda: Elastic(1, smooth=0), r"Elastic smooth must be a number in \[0.5, 1000\], got 0$"),
        (
            lambda: parse_list("shift:x", AUGMENTATIONS, "augmentation"),
            r"expected a number in \[0, 1000\] for pixels",
        ),
        (
            lambda: parse_list("shear:2", AUGMENTATIONS, "augmentation"),
            "unknown augmentation 'shear'; known: shift",
        ),
        (lambda: parse_list("flip:1", AUGMENTATIONS, "augmentation"), "expected flip$"),
    ],
)
def test_wrong_values_are_refused_in_one_line(build, message):
    with pytest.raises(ValueError, match=message) as error:
        build()
    assert "\n" not in str(error.value)


def test_augment_refuses_other_shapes_and_dtypes():
    x = pictures(3)
    with pytest.raises(ValueError, match=r"expected float images \(n, h, w, c\), got uint8 \(3, 9, 8, 1\)"):
        augment((Flip(),), x.astype(np.uint8), np.arange(3), 0, 1)
    with pytest.raises(ValueError, match=r"got float32 \(3, 72\)"):
        augment((Flip(),), x.reshape(3, -1), np.arange(3), 0, 1)
    with pytest.raises(ValueError, match=r"expected 3 row numbers, got \(2,\)"):
        augment((Flip(),), x, np.arange(2), 0, 1)

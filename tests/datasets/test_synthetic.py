"""Drawn digits: the same for the same seed, the same first rows for any size, and of the wanted classes."""

import numpy as np
import pytest

from nn.datasets import strokes, synthetic


def rows(seed=0, split="train", count=1_000, digits=range(10)):
    blocks = list(synthetic.draw(seed, split, count, digits))
    return np.concatenate([b.images for b in blocks]), np.concatenate([b.labels for b in blocks])


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_draw_gives_small_grey_images_on_black():
    images, labels = rows()
    assert (images.shape, images.dtype, labels.shape, labels.dtype) == (
        (1_000, 28, 28),
        np.uint8,
        (1_000,),
        np.uint8,
    )
    assert (images.max(axis=(1, 2)) > 150).all()  # each has a clear line
    assert ((images > 0) & (images < 255)).any(axis=(1, 2)).all()  # with grey edges
    ink = (images > 0).mean(axis=(1, 2))
    assert ink.min() > 0.02
    assert ink.max() < 0.5


def test_draw_centres_digits():
    images = rows()[0].astype(float)
    places = np.arange(28) - 13.5
    weights = images.sum(axis=(1, 2))
    x = (images.sum(axis=1) @ places) / weights
    y = (images.sum(axis=2) @ places) / weights
    assert abs(x.mean()) < 0.5
    assert abs(y.mean()) < 0.5
    assert max(np.abs(x).max(), np.abs(y).max()) < 6


@pytest.mark.parametrize("count", [1, 249, 251, 1_000, 1_001])
def test_fewer_rows_are_the_first_of_more(count):
    images, labels = rows(count=2_100)
    assert same(rows(count=count), (images[:count], labels[:count]))


def test_draw_depends_on_seed_and_split():
    assert same(rows(seed=5, count=50), rows(seed=5, count=50))
    assert not same(rows(seed=5, count=50), rows(seed=6, count=50))
    assert not same(rows(split="train", count=50), rows(split="test", count=50))
    assert not same(rows(seed=1, split="train", count=50), rows(seed=0, split="test", count=50))


def test_no_two_images_are_the_same():
    images = np.concatenate([rows(split="train")[0], rows(split="test")[0]])
    assert len({image.tobytes() for image in images}) == len(images)


def test_classes_are_balanced_by_chance():
    counts = np.bincount(rows(count=10_000)[1], minlength=10)
    assert (np.abs(counts - 1_000) < 150).all()


def test_digits_choose_what_is_drawn_in_their_order():
    found = synthetic.draw_set(0, 400, 50, (8, 1))
    assert (found.classes, found.train.rows, found.test.rows) == (("8", "1"), 400, 50)
    lines = strokes.load_strokes()
    hands = synthetic.draw_hands(np.random.default_rng(0), 1_000, lines, (8, 1))
    for label, digit in enumerate((8, 1)):
        chosen = hands.strokes[hands.labels == label]
        assert 400 < len(chosen) < 600
        assert set(chosen.tolist()) == set(lines.of_digit[digit].tolist())


def test_a_class_can_be_told_by_its_mean_image():
    """The labels belong to the images: the nearest class mean is right far more often than by chance."""
    images, labels = rows(count=3_000)
    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)])
    test_images, test_labels = rows(split="test")
    distances = ((test_images[:, None].astype(float) - means) ** 2).sum(axis=(2, 3))
    assert (distances.argmin(axis=1) == test_labels).mean() > 0.6


@pytest.mark.parametrize(("seed", "digits"), [(-1, None), (2**32, None), (0, (3, 10))])
def test_draw_set_refuses(seed, digits):
    with pytest.raises(ValueError, match=r"must be in 0\.\..*, got"):
        synthetic.draw_set(seed, 10, 10, digits)


def test_look_up_is_exact_on_a_plane():
    rows, columns = np.mgrid[: strokes.SIDE, : strokes.SIDE]
    fields = np.stack([np.zeros(rows.shape), 2 * columns - 3 * rows + 5]).astype(np.float32)
    x, y = np.array([[[0.25, 7.5, 60.0]]], np.float32), np.array([[[3.75, 7.0, 20.125]]], np.float32)
    found = synthetic._look_up(fields, np.array([1]), x.copy(), y.copy())
    np.testing.assert_allclose(found, 2 * x - 3 * y + 5, rtol=1e-5)


def test_strokes_cover_every_digit_in_many_fonts():
    found = strokes.load_strokes()
    assert [len(chosen) for chosen in found.of_digit] == [16] + [17] * 9
    assert found.fields.shape == (169, strokes.SIDE, strokes.SIDE)
    assert (found.fields.min(axis=(1, 2)) == 0).all()
    middle = (strokes.SIDE - 1) / 2
    assert (np.abs(found.centers - middle) < strokes.BOX / 4).all()


def holes(line):
    """Count the regions that a line encloses, by filling from the outside."""
    free = np.pad(~line, 1, constant_values=True)
    count = -1  # the outside is no hole
    while free.any():
        filled = np.zeros_like(free)
        filled[tuple(np.argwhere(free)[0])] = True
        while True:
            grown = filled.copy()
            for axis in (0, 1):
                grown |= np.roll(filled, 1, axis) | np.roll(filled, -1, axis)
            grown &= free
            if (grown == filled).all():
                break
            filled = grown
        free &= ~filled
        count += 1
    return count


def test_strokes_have_the_holes_of_their_digits():
    found = strokes.load_strokes()
    for digit, expected in {0: {1}, 1: {0}, 3: {0}, 5: {0}, 8: {2}, 9: {1}}.items():
        assert {holes(found.fields[index] == 0) for index in found.of_digit[digit][::5]} == expected, digit


def test_thin_leaves_a_line_one_point_wide():
    bar = np.zeros((1, 12, 20), bool)
    bar[0, 3:8, 3:17] = True
    line = strokes.thin(bar)
    assert (line <= bar).all()
    assert line.sum(axis=1).max() == 1
    assert line.sum() >= 8


def test_distance_is_the_nearest_of_all_points():
    rng = np.random.default_rng(0)
    lines = rng.random((3, 9, 9)) < 0.1
    lines[:, 4, 4] = True
    for line, field in zip(lines, strokes.distance(lines), strict=True):
        points = np.argwhere(line)
        for y in range(9):
            for x in range(9):
                assert field[y, x] == pytest.approx(np.hypot(*(points - (y, x)).T).min(), abs=1e-5)


def test_digits_for_examples_are_the_first_of_more_and_follow_the_seed():
    images, labels = synthetic.draw_digits(5)
    assert images.shape == (5, 28, 28) and images.dtype == labels.dtype == np.uint8
    more, other = synthetic.draw_digits(8), synthetic.draw_digits(5, seed=1)
    assert np.array_equal(more[0][:5], images) and np.array_equal(more[1][:5], labels)
    assert not np.array_equal(other[0], images)
    assert [len(part) for part in synthetic.draw_digits(0)] == [0, 0]

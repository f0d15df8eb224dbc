"""A warning is given for rows sorted by class, and not for random order."""

import gzip

import numpy as np
import pytest

from nn.data import label_skew

ENDLESS = 1 << 40


def cut(labels, replicas, classes, window_rows=ENDLESS):
    """Labels (n,) in replicas of consecutive rows."""
    sizes = np.diff(np.linspace(0, len(labels), replicas + 1).astype(int))
    return label_skew.count_classes(labels, enumerate(sizes), replicas, classes, window_rows)


def whole(counts):
    """Return windows of one replica each, from the rows of each class (p, k)."""
    counts = np.array(counts)
    return label_skew.ShuffleWindows(counts, np.arange(len(counts)), len(counts), ENDLESS)


RUNS = [(2, 3), (0, 1), (0, 2), (4, 0), (2, 2)]


def test_count_adds_the_runs_of_a_replica_in_row_order():
    labels = np.array([0, 0, 1, 2, 2, 2, 1, 0])
    windows = label_skew.count_classes(labels, RUNS, 5, 4, ENDLESS)
    assert windows.counts.tolist() == [[2 + 1, 1 + 1, 0, 0], [0, 0, 2 + 1, 0]]
    assert windows.replicas.tolist() == [2, 0] and windows.n_replicas == 5 and windows.are_replicas


def test_count_classes_divides_the_rows_of_a_replica_into_windows():
    labels = np.array([0, 0, 1, 2, 2, 2, 1, 0])
    windows = label_skew.count_classes(labels, RUNS, 5, 4, 2)
    # Replica 2 holds 0 0 1 and then 1 0, replica 0 holds 2 and then 2 2.
    assert windows.counts.tolist() == [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 1, 0], [1, 0, 0, 0]]
    assert (
        windows.replicas.tolist() == [2, 2, 0, 0, 2] and not windows.are_replicas and windows.window_rows == 2
    )
    assert label_skew.count_classes(labels[:0], [(0, 0)], 3, 4, 2).counts.shape == (0, 4)


def test_most_skewed_gives_the_distance_and_the_class():
    counts = np.array([[400, 100, 500], [100, 400, 500], [0, 0, 1000], [500, 500, 0]]) * 100
    mix = label_skew.most_skewed(counts)
    assert (mix.window, mix.rows, mix.label, mix.share, mix.share_of_all) == (2, 100_000, 2, 1.0, 0.5)
    assert mix.distance == pytest.approx(0.5) and mix.allowed == label_skew.TOLERATED
    mix = label_skew.most_skewed(np.delete(counts, 2, axis=0))  # of all rows: 1/3, 1/3, 1/3
    assert (mix.window, mix.label) == (2, 0)
    assert mix.distance == pytest.approx(1 / 3) and mix.share_of_all == pytest.approx(1 / 3)


@pytest.mark.parametrize("counts", [[[5, 5, 0]], np.zeros((0, 3), int)])
def test_most_skewed_needs_two_windows(counts):
    assert label_skew.most_skewed(np.array(counts)) is None and label_skew.warning(whole(counts)) is None


def test_most_skewed_ignores_negligible_windows():
    even = [[5000, 5000]] * 3
    for crumb, replica in ((74, 0), (77, 3)):  # a hundredth of an even share is about 75
        assert label_skew.most_skewed(np.array([*even, [crumb, 0]])).window == replica


def test_most_skewed_ignores_what_chance_explains():
    counts = np.array([[3500, 6500], [6500, 3500], [5000, 5000], [132, 68]])
    assert counts[3, 0] / 200 > 0.65  # farther off than the first, and yet as 200 rows may well be
    assert label_skew.most_skewed(counts).window == 0


def test_warning_is_one_line_of_shares_that_ends_with_the_cure():
    counts = np.array([[1000, 1000, 1000], [1000, 1000, 1000], [0, 0, 3000]])
    assert label_skew.warning(whole(counts)) == (
        "rows look sorted by class: class 2 is 100 % of replica 3 of 3 but 55.6 % of all rows; "
        "replicas that see different classes average badly: --shuffle-once spreads the rows"
    )
    assert ": class yes is 100 % of" in label_skew.warning(whole(counts), ("no", "maybe", "yes"))


@pytest.mark.parametrize(("more", "warned"), [(0, False), (95_000, False), (105_000, True)])
def test_warning_leaves_a_harmless_skew_alone(more, warned):
    counts = np.array([[500_000 + more, 500_000 - more], [500_000 - more, 500_000 + more]])
    assert (label_skew.warning(whole(counts)) is not None) == warned


def test_warning_finds_rows_sorted_within_a_replica():
    labels = np.repeat([0, 1], 5000)
    for replicas in (1, 2):  # each replica's own mix is that of all rows
        own = np.concatenate([labels[replica::replicas] for replica in range(replicas)])
        assert label_skew.warning(cut(own, replicas, 2)) is None
        windows = label_skew.warning(cut(own, replicas, 2, window_rows=2000))
        assert windows.endswith(
            f"of 2,000 consecutive rows in replica 1 of {replicas} but 50 % of all rows; steps on a few "
            "classes in a row unlearn the others: --shuffle-once spreads the rows"
        )
    mixed = np.random.default_rng(0).permutation(labels)
    assert label_skew.warning(cut(mixed, 2, 2, window_rows=300)) is None


SHARES = {
    "even": np.full(10, 0.1),
    "two": np.array([0.5, 0.5]),
    "rare": np.array([0.98, 0.02]),
    "long tail": 1 / np.arange(1, 101) / (1 / np.arange(1, 101)).sum(),
}


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("rows", [10, 100, 3000])
def test_chance_stays_below_its_bound(rng, shares, rows):
    draws = rng.multinomial(rows, shares, 3000) / rows
    distances = np.abs(draws - shares).sum(axis=1) / 2
    bound = label_skew.chance_bound(np.array([rows]), shares).item()
    spread = np.sqrt(np.log(1 / label_skew.FALSE_ALARM) / (2 * rows))
    assert distances.max() < bound
    assert (
        distances.mean() < bound - spread < 4 * distances.mean()
    )  # and the bound on the mean is no idle one


def test_chance_by_hand():
    # 2 classes of a half: the mean's bound is 1/2 (1/2 + 1/2) / 10, the spread's sqrt(ln 10000 / 200).
    assert label_skew.chance_bound(np.array([100]), np.array([0.5, 0.5])).tolist() == pytest.approx(
        [0.05 + 0.2145966]
    )


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("replicas", [2, 8, 32, 128])
def test_rows_in_random_order_are_never_warned_of(rng, shares, replicas):
    for rows in (200, 5000, 100_000):
        labels = rng.choice(len(shares), rows, p=shares)
        assert label_skew.warning(cut(labels, replicas, len(shares))) is None


@pytest.mark.parametrize("name", ["even", "two", "long tail"])
@pytest.mark.parametrize("replicas", [2, 8, 32, 128])
@pytest.mark.parametrize("rows_each", [300, 1000])
def test_rows_sorted_by_class_always_are(rng, name, replicas, rows_each):
    labels = np.sort(rng.choice(len(SHARES[name]), replicas * rows_each, p=SHARES[name]))
    assert label_skew.warning(cut(labels, replicas, len(SHARES[name]))).startswith(
        "rows look sorted by class: class "
    )


def test_a_rare_class_at_the_end_of_a_sorted_file_is_found():
    labels = np.repeat([0, 1], [9800, 200])
    assert "class 1 is 16 % of replica 8 of 8 but 2 % of all rows" in label_skew.warning(cut(labels, 8, 2))


@pytest.mark.mnist
def test_mnist_as_published_is_mixed_and_sorted_is_not(mnist):
    with gzip.open(mnist / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    for replicas in (*range(2, 129, 7), 128, 500):
        assert label_skew.warning(cut(labels, replicas, 10)) is None
        assert label_skew.warning(cut(np.sort(labels), replicas, 10)) is not None

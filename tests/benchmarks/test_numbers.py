"""The side-by-side benchmark's numbers and tables: what is taken from the runs, and where it is written."""

import math
import sys

import pytest

from tests.support import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import runs
import tables
from contestants import CONTESTANTS, HIDDEN, NUMPY, OURS, ROWS, STANDARD, TORCH
from runs import Results, Run

from nn.core.errors import DataError

MACHINE = {"processor": "A", "cores": 2, "memory_gb": 8, "system": "B", "date": "2030-01-02"}


def lines(*pairs):
    return [{"seconds": seconds, "accuracy": accuracy} for seconds, accuracy in pairs]


def answer(*seconds, accuracy=0.9, load=1.0, **more):
    epochs = [{"seconds": each, "accuracy": accuracy, **more} for each in seconds]
    memory = {"driver_jvm": None, "python": 100.4, "workers": 50.0, "worker": 25.0}
    return {
        "peer": "p",
        "versions": {"numpy": "2.0"},
        "load": load,
        "epochs": epochs,
        "memory": memory,
        "note": "",
    }


def results(section, *each):
    return Results(section, MACHINE, "python benchmarks/bench.py data", list(each))


# ---- numbers ----


def test_time_to_accuracy_is_the_end_of_the_first_epoch_at_or_above_it():
    epochs = lines((2, 0.9), (3, 0.95), (4, 0.94), (5, 0.99))
    assert runs.time_to(epochs, 0.9) == 2
    assert runs.time_to(epochs, 0.95) == 5  # at it, not only above
    assert runs.time_to(epochs, 0.96) == 14
    assert runs.time_to(epochs, 0.995) == math.inf
    assert runs.time_to([], 0.5) == math.inf


def test_time_to_accuracy_takes_a_fit_from_the_start_as_it_is():
    fits = [
        {"seconds": 1, "from_start": 20.0, "accuracy": 0.9},
        {"seconds": 1, "from_start": 31.0, "accuracy": 0.96},
    ]
    assert runs.time_to(fits, 0.95) == 31


def test_reached_is_the_median_over_seeds_and_counts_those_that_never_got_there():
    seeds = [{"epochs": lines((seconds, 0.95))} for seconds in (3, 1, 2)]
    never = {"epochs": lines((1, 0.5))}
    assert runs.reached(seeds, 0.95) == (2, 3, 3)
    assert runs.reached([*seeds, never, never], 0.95) == (3, 3, 5)
    assert runs.reached([*seeds, never, never, never, never], 0.95) == (math.inf, 3, 7)


def test_the_first_half_of_the_epochs_warms_up():
    assert runs.epoch_seconds(answer(100, 90, 1, 3, 2)) == 2
    assert runs.epoch_seconds(answer(100, 3)) == 3
    assert runs.epoch_seconds(answer(7)) == 7
    assert math.isnan(runs.epoch_seconds(answer()))


def test_ratios_are_taken_within_each_repeat():
    # The second repeat was ten times as slow for both: 2, 2, 3, not medians' 20 / 10.
    assert runs.ratio({0: 2.0, 1: 20.0, 2: 30.0}, {0: 1.0, 1: 10.0, 2: 10.0}) == 2
    assert runs.ratio({0: 2.0, 2: 9.0}, {1: 1.0, 2: 3.0}) == 3  # repeats that one of them lacks do not count
    assert math.isnan(runs.ratio({0: 2.0}, {}))


def test_median_leaves_out_what_is_not_there():
    assert runs.median([3.0, None, 1.0, math.nan, 2.0]) == 2
    assert math.isnan(runs.median([None]))


def test_results_come_back_from_their_file(tmp_path):
    measured = results(ROWS, Run(NUMPY, {"rows": 3}, 0, answer(1)), Run(OURS, {"rows": 3}, 0, None, "why"))
    runs.write(measured, tmp_path / "new" / "rows.json")
    assert runs.read(tmp_path / "new" / "rows.json") == measured
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["rows.json"]


@pytest.mark.parametrize("text", ["no json", "{}", '{"runs": [{"what": 1}]}', "[]"])
def test_a_file_without_results_is_one_line(tmp_path, text):
    (tmp_path / "rows.json").write_text(text)
    with pytest.raises(DataError, match="rows.json: expected results of bench.py, found"):
        runs.read(tmp_path / "rows.json")


# ---- tables ----


def test_put_replaces_what_is_between_the_markers_and_nothing_else():
    before = "# Title\n\n<!-- bench:speed -->\nold\nold\n<!-- /bench:speed -->\n\nBy hand.\n<!-- bench:rows -->\nkept\n"
    after = tables.put(before, "speed", "| new |", "a.md")
    assert after == before.replace("old\nold", "\n| new |\n")
    assert tables.put(after, "speed", "| new |", "a.md") == after


@pytest.mark.parametrize(
    "text, lines_found",
    [
        ("nothing", "neither"),
        ("<!-- bench:speed -->", "lines 1"),
        ("<!-- /bench:speed -->\n<!-- bench:speed -->", "lines 1, 2"),
        ("<!-- bench:speed -->\n<!-- /bench:speed -->\n\n<!-- bench:speed -->", "lines 1, 2, 4"),
    ],
)
def test_put_says_in_a_line_which_marker_it_misses(text, lines_found):
    with pytest.raises(DataError) as error:
        tables.put(text, "speed", "x", "docs/a.md")
    assert str(error.value) == (
        "docs/a.md: expected the line <!-- bench:speed --> and after it <!-- /bench:speed -->, once each, "
        f"found {lines_found}"
    )


@pytest.mark.parametrize(
    "value, text",
    [
        (0.00123, "1.23 ms"),
        (0.35, "0.35 s"),
        (12.34, "12.3 s"),
        (600, "10.0 min"),
        (math.inf, "–"),
        (math.nan, "–"),
    ],
)
def test_seconds_are_told_in_a_fitting_unit(value, text):
    assert tables.seconds(value) == text


def test_speed_has_medians_ranges_and_ratios_to_the_references():
    every = [
        Run(name, {}, repeat, answer(9, seconds))
        for name, times in ((NUMPY, (1, 2, 4)), (OURS, (2, 3, 8)), (TORCH, (0.5, 1, 2)))
        for repeat, seconds in enumerate(times)
    ]
    table = tables.speed(results(STANDARD, *every, Run("scikit-learn", {}, 0, None, "no module sklearn")))
    assert "| this project | 3.00 s | 2.00 s – 8.00 s | 2 | 4 |" in table
    assert table.endswith("Not measured: scikit-learn (no module sklearn).")


def test_a_growth_table_has_a_line_a_value_and_the_ratio_to_the_limit_of_the_same_step():
    every = [Run(NUMPY, {HIDDEN: units}, 0, answer(1, units / 64)) for units in (64, 128)]
    every += [Run(OURS, {HIDDEN: 128}, 0, answer(1, 3.0))]
    head, rule, *rows = tables.TABLES[HIDDEN][1](results(HIDDEN, *every)).splitlines()
    assert rows == ["| 64 | 1.00 s | – |", "| 128 | 2.00 s | 3.00 s (1.5) |"]


def test_accuracy_says_how_many_seeds_got_there():
    every = [
        Run(OURS, {HIDDEN: 64}, seed, answer(2, accuracy=level))
        for seed, level in enumerate((0.96, 0.96, 0.94))
    ]
    assert "| this project | 2.00 s (2 of 3) | – (0 of 3) | – (0 of 3) | 96.00 % |" in tables.accuracy(
        results("accuracy", *every)
    )


def test_phases_stand_in_their_own_table_where_a_peer_tells_them():
    assert tables.phases(results(STANDARD, Run(NUMPY, {}, 0, answer(1, 2)))) == ""
    table = tables.phases(results(STANDARD, Run(OURS, {}, 0, answer(1, 2, read=0.5, compute=1.25))))
    assert table.splitlines()[-1] == "| this project | – | 0.50 s | 1.25 s | – | – | 2.00 s |"


def test_phases_come_from_the_same_half_of_the_epochs_as_an_epochs_seconds():
    measured = answer(9, 9, 2, 4)
    for line, read in zip(measured["epochs"], (7, 7, 1, 2), strict=True):
        line["read"] = read
    table = tables.phases(results(STANDARD, Run(OURS, {}, 0, measured)))
    assert table.splitlines()[-1] == "| this project | – | 1.50 s | – | – | – | 3.00 s |"


def test_memory_and_loading_have_a_dash_for_what_is_not_there():
    measured = results(
        STANDARD, Run(NUMPY, {}, 0, answer(1, load=None)), Run(OURS, {}, 0, answer(1, load=2.0))
    )
    assert "| NumPy limit | – | 100 MB | 50 MB | 25 MB |" in tables.memory(measured)
    assert tables.loading(measured).splitlines()[2:] == ["| this project | 2.00 s | 2.00 s – 2.00 s | – |"]


def test_machine_names_machine_versions_sections_and_command():
    text = tables.machine([results(ROWS, Run(NUMPY, {"rows": 1}, 0, answer(1))), results(HIDDEN)])
    assert text == (
        "A, 2 cores, 8 GB; B; numpy 2.0. "
        "Measured: rows, hidden on 2030-01-02 by `python benchmarks/bench.py data`."
    )


def test_contestants_have_names_of_their_own():
    assert len({contestant.name for contestant in CONTESTANTS}) == len(CONTESTANTS)

"""Benchmarks with arithmetic of their own: an epoch's cost model, the share of peak, rows beyond memory, settings."""

import re
import sys

import numpy as np
import pytest

from tests.support import ROOT
from tests.support.data import blobs, write_csv

sys.path.append(str(ROOT / "benchmarks"))

import large
import peak
import scaling
import settings
import step
from peers import digits, memory, nn_spark
from scaling import Case

import nn.spark.runtime.workers
from nn.spark.input import reader
from nn.spark.storage.filesystem import Storage


@pytest.fixture
def data(tmp_path):
    """A folder with a small training set."""
    inputs, labels = blobs(300, classes=10)
    write_csv(digits.path(tmp_path, "images", "train"), inputs)
    write_csv(digits.path(tmp_path, "labels", "train"), labels)
    return str(tmp_path)


# ---- the cost model: measuring ----


def test_repeated_rows_come_back_from_workers_that_cannot_import_the_benchmarks(spark, data):
    files = reader.Files.open(spark, Storage(spark), nn_spark.source(reader, data, "train"), 2)
    dataset = reader.read(files)
    copied = nn_spark.repeated(dataset, 3)
    numbers = np.sort(np.concatenate(copied.map(lambda block: block.rows).collect()))
    assert numbers.tolist() == list(range(900))
    assert copied.getStorageLevel() == dataset.cached.getStorageLevel()
    copied.unpersist()
    dataset.cached.unpersist()


def test_repeated_rows_are_kept_by_the_bytes_of_all_of_them(spark, data, monkeypatch):
    from nn.spark.input import cache

    sizes, level = [], cache.level
    monkeypatch.setattr(cache, "level", lambda context, size: sizes.append(size) or level(context, size))
    files = reader.Files.open(spark, Storage(spark), nn_spark.source(reader, data, "train"), 2)
    dataset = reader.read(files)
    sizes.clear()
    nn_spark.repeated(dataset, 3).unpersist()
    dataset.cached.unpersist()
    assert sizes == [3 * 300 * 16]  # a byte a value


def test_cases_are_measured_also_where_rows_are_there_twice(spark, data, monkeypatch):
    monkeypatch.setattr(scaling, "WARM_UP", 1)
    monkeypatch.setattr(scaling, "REPEATS", 1)
    cases = [Case(average, times, 4, 2, 2) for average in scaling.AVERAGES for times in (1, 2)]
    result = dict(scaling.measure(spark, data, cases))
    assert set(result) == set(cases) and all(0 < seconds < 60 for seconds in result.values())


def test_the_grid_varies_everything_and_holds_some_back_for_both_kinds_of_average():
    for average in ("parameters", "gradients"):
        fitted, checked = (
            [case for case in scaling.GRID if (case.average, case.checks) == (average, checks)]
            for checks in (False, True)
        )
        assert len(fitted) == 14 and len(checked) == 5
        for name in ("times", "hidden", "partitions", "slots"):
            assert len({getattr(case, name) for case in fitted}) > 1
    assert len(scaling.GRID) == len(set(scaling.GRID)) == 38
    assert {case.times for case in scaling.QUICK} == {1, 2}


def test_a_case_measured_in_several_rounds_counts_with_its_median():
    one, other = scaling.GRID[:2]
    lines = [[*one, 3.0], [*other, 1.0], [*one, 9.0], [*other, 2.0], [*one, 4.0], [*other, 9.0]]
    assert scaling.medians(lines) == [[*one, 4.0], [*other, 2.0]]


def test_coefficients_are_said_in_the_unit_that_suits_them():
    values = (0.0143, 1.44e-4, 8e-5, 2.87e-9, 3.1e-11, 0.0)
    assert [scaling.scaled(value) for value in values] == [
        "14.3 ms",
        "0.144 ms",
        "80 µs",
        "2.87 ns",
        "0.031 ns",
        "–",
    ]


# ---- the cost model: its terms ----


def test_a_flat_sum_is_one_stage_and_a_chain_of_all_partitions():
    # 1,000 parameters of 8 bytes stay far below the flat limit; 400 of them lie beyond the caches.
    result = scaling.terms_of("parameters", 32, 1000, 6, 2, in_caches=600)
    assert result.tolist() == [1, 3, 32 / 2, 32 * 1000 / 2, 32 * 400 / 2, 6000, 1000]
    assert scaling.terms_of("parameters", 32, 1000, 6, 2, in_caches=1001)[4] == 0


def test_a_sum_in_groups_is_a_stage_more_and_a_shorter_chain():
    w = 1_000_000  # 8 MB of parameters and velocities, 4 MB of gradients: 16 partitions are 128 and 64 MB
    flat = scaling.terms_of("gradients", 1024, w, 16, 2, 0)
    grouped = scaling.terms_of("parameters", 64, w, 16, 2, 0)
    assert (flat[0], flat[1], flat[5]) == (1, 8, 16 * w)
    assert (grouped[0], grouped[1], grouped[5]) == (
        2,
        (16 + 4) / 2,
        (16 / 2 + 4) * w,
    )  # 4 groups, 2 at a time
    cluster = scaling.terms_of("parameters", 64, w, 400, 400, 0)
    assert (cluster[1], cluster[5]) == (420 / 400, (400 / 20 + 20) * w)  # 20 groups at the same time


def test_the_fit_finds_the_model_that_made_the_times():
    true = scaling.Model(np.array([0.05, 0.01, 2e-7, 3e-11, 5e-11, 2e-9, 6e-9]), scaling.CACHE_SIZES[40])
    own = [(case, true.seconds(case)) for case in scaling.GRID if case.average == "parameters"]
    result = scaling.fitted(own)
    assert np.allclose([result.seconds(case) for case, _ in own], [seconds for _, seconds in own], rtol=1e-6)
    assert np.allclose(result.coefficients, true.coefficients) and result.in_caches == true.in_caches


def test_the_fit_gives_no_coefficient_below_nothing():
    cases = [Case("parameters", times, 64, 2, 2) for times in (1, 3, 10)]
    assert (scaling.fitted([(case, 1 / case.times) for case in cases]).coefficients >= 0).all()


def test_caches_smaller_than_every_network_count_as_none():
    true = scaling.Model(np.array([0.05, 0.01, 2e-6, 3e-11, 5e-11, 2e-9, 6e-9]), 2e4)
    own = [(case, true.seconds(case)) for case in scaling.GRID if case.average == "parameters"]
    result = scaling.fitted(own)
    assert result.in_caches > scaling.parameters(64)
    assert result.coefficients[2:5] == pytest.approx([2e-6 - 2e4 * 5e-11, 8e-11, 0], rel=1e-6, abs=1e-20)


# ---- the cost model: docs/scaling.md ----


def test_page_shows_the_tables_that_the_saved_measurements_give(monkeypatch, capsys):
    saved = ROOT / "benchmarks/results/scaling.json"
    monkeypatch.setattr(sys, "argv", ["scaling.py", "--render", str(saved)])
    scaling.main()
    printed, page = capsys.readouterr().out, (ROOT / "docs/scaling.md").read_text()
    for head in ("| 100 million rows", "| | for |", "| averaged | rows |"):
        shown, expected = table(page, head), table(printed, head)
        assert len(shown) == len(expected) and shown[0] == expected[0]
        for one, other in zip(shown[2:], expected[2:], strict=True):
            assert [re.sub(r"[\d.]+", "#", cell) for cell in one] == [
                re.sub(r"[\d.]+", "#", cell) for cell in other
            ]
            # The fit's least squares differ in their last bits from machine to machine.
            assert numbers(one) == pytest.approx(numbers(other), rel=0.02, abs=0.011)
    lowest, highest = (int(number.replace(",", "")) for number in re.search(SOME_PARTITIONS, page).groups())
    found = [int(number.replace(",", "")) for number in re.findall(r": from ([\d,]+) partitions on", printed)]
    assert len(found) == 4 and (lowest, highest) == (round(min(found), -2), round(max(found), -2))


SOME_PARTITIONS = r"some 2,000 partitions \(([\d,]+) to ([\d,]+), by network and average\)"


def table(text, head):
    """The cells of the first table whose head begins like this."""
    lines = text[text.index(head) :].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def numbers(cells):
    return [float(number) for cell in cells for number in re.findall(r"[\d.]+", cell.replace(",", ""))]


def test_the_network_moves_tallies_in_and_parameters_out_on_the_busiest_links():
    assert scaling.network("gradients", 250_000, 10) == pytest.approx((10 + 2) * 1e6 / 1.25e9)  # flat
    # 16 partitions of 8 MB: 4 executors add up a group of 4 each, and 4 sums come to the driver.
    assert scaling.network("parameters", 1_000_000, 16) == pytest.approx((4 + 4 + 2) * 8e6 / 1.25e9)


def test_where_the_sum_overtakes_is_the_first_number_of_partitions_that_does(monkeypatch):
    monkeypatch.setattr(scaling, "BANDWIDTH", np.inf)
    coefficients = np.zeros(7)
    model = scaling.Model(coefficients, 0)
    # Reading: 1e8 rows on P slots, a microsecond a row: 100 / P seconds. Summing: P w microseconds.
    coefficients[2], coefficients[5] = 1e-6, 1e-6
    assert scaling.overtaken(model, "gradients", 9_990) == 101  # 100 / P < 0.00999 P from 101 on
    coefficients[5] = 0
    assert scaling.overtaken(model, "gradients", 10_000) is None


def test_the_report_says_what_a_cluster_takes_and_where_the_sum_overtakes(capsys):
    coefficients = np.zeros(7)
    coefficients[2] = 784e-9
    scaling.report_cluster({"parameters": scaling.Model(coefficients, 0)})
    out = capsys.readouterr().out
    assert "| parameters, 784-1024-10 | 0.20 s | 0.00 s | 0.22 s | 0.41 s |" in out
    assert "parameters, 784-1024-10: from 372 partitions on" in out
    coefficients[5] = 1
    scaling.report_cluster({"gradients": scaling.Model(coefficients, 0)})
    assert "gradients, 784-64-10: from 1 partitions on" in capsys.readouterr().out


# ---- the share of peak ----


@pytest.mark.parametrize(
    "widths, expected",
    [
        ((784, 10), 2 * 2 * 7840),  # one layer: forward and the weights' gradients
        ((3, 4, 2), 2 * (20 + 20 + 8)),
        ((784, 1024, 1024, 10), 9_564_160),  # 2 (3 (802,816 + 1,048,576 + 10,240) - 802,816)
    ],
)
def test_operations_of_a_row_leave_out_the_first_layers_inputs(widths, expected):
    assert peak.operations(widths) == expected


def test_the_peak_adds_up_what_processes_reach_at_the_same_time():
    alone, both = peak.products(64, 0.05), peak.peak(2, size=64, seconds=0.05)
    assert 0 < alone < 10_000 and 0 < both < 20_000


# ---- rows beyond memory ----


@pytest.mark.parametrize(
    "words, kind",
    [
        (["/usr/lib/jvm/bin/java", "-cp", "main_task.py"], "driver JVM"),
        (["/env/bin/python", "/project/main_task.py", "a.csv"], "Python driver"),
        (["/env/bin/python", "-m", "pyspark.daemon", "pyspark.worker"], "worker"),
        (["/bin/bash", "-c", "true"], None),
    ],
)
def test_processes_are_told_apart_by_their_command_lines(tmp_path, monkeypatch, words, kind):
    monkeypatch.setattr(memory, "PROC", tmp_path)
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cmdline").write_text("\0".join(words) + "\0")
    assert large.kind_of(7) == kind
    assert large.kind_of(8) is None  # it has ended meanwhile


@pytest.mark.parametrize("millions", ["0", "11", "1,0,2"])
def test_only_as_many_millions_as_have_folders_are_drawn(monkeypatch, capsys, millions):
    monkeypatch.setattr(sys, "argv", ["large.py", "scratch", "--millions", millions])
    with pytest.raises(SystemExit):
        large.arguments()
    assert "--millions: expected numbers from 1 to 10" in capsys.readouterr().err


def test_words_after_two_dashes_are_the_jobs(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["large.py", "scratch", "--millions", "1,10", "--", "--clip", "1"])
    args, words = large.arguments()
    assert args.millions == (1, 10) and words == ["--clip", "1"]


def test_a_worker_is_told_to_leave_out_what_it_would_do_once(monkeypatch):
    applied = []
    monkeypatch.setattr(nn.spark.runtime.workers, "freeze_gc", lambda: applied.append("freeze_gc"))
    monkeypatch.setattr(
        nn.spark.runtime.workers,
        "cache_zip_directories",
        lambda: applied.append("cache_zip_directories"),
    )
    monkeypatch.setattr(nn.spark.runtime.workers, "quick_ack", lambda: applied.append("quick_ack"))
    monkeypatch.setattr(nn.spark.runtime.workers, "silence_interrupt", lambda: None)
    step.leave_out(["cache_zip_directories"], iter([]))
    nn.spark.runtime.workers.tune_worker.__wrapped__()
    assert applied == ["freeze_gc", "quick_ack"]


@pytest.mark.parametrize("name", settings.WITHOUT.values())
def test_what_settings_leaves_out_is_what_workers_do(name):
    assert callable(getattr(nn.spark.runtime.workers, name))


def test_a_setting_s_cell_is_a_median_and_the_median_ratio_within_repeats():
    times = {"as it is": (100.0, 200.0, 100.0), "no web page": (110.0, 180.0, 150.0)}
    repeats = [{name: {"step": each[i]} for name, each in times.items()} for i in range(3)]
    repeats.append({"as it is": {"step": 100.0}})  # one that was broken off
    for repeat in repeats:
        repeat["as it is"]["the whole job"] = 7000.0
    assert settings.table(repeats).splitlines() == [
        "| | step | the whole job |",
        "|---|---|---|",
        "| as it is | 100 ms (1.00x) | 7000 ms (1.00x) |",
        "| no web page | 150 ms (1.10x) | – |",
    ]


def test_settings_refuses_a_name_it_does_not_know(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["settings.py", "data", "--only", "no web page;neither"])
    with pytest.raises(SystemExit):
        settings.arguments()
    assert "--only: no setting is called 'neither'" in capsys.readouterr().err

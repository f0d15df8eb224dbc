"""The table of cluster sizes: it follows from the cost model, and docs/clusters/dataproc.md shows it."""

import re
import sys

import pytest

from tests.support import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import cluster_sizes
import scaling
from cluster_sizes import Job

MODEL = cluster_sizes.fitted_model()
PIXELS = Job(rows=1e7, columns=784, value_bytes=1, units=1024, classes=10, epochs=20)


def cells(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()]


def numbers(row):
    return [float(number) for number in re.findall(r"[\d.]+", " ".join(row).replace(",", ""))]


def test_page_shows_what_the_program_prints(capsys):
    cluster_sizes.main([])
    printed = cells(capsys.readouterr().out)
    page = (ROOT / "docs/clusters/dataproc.md").read_text()
    shown = cells(re.search(r"<!-- cluster_sizes -->(.*)<!-- /cluster_sizes -->", page, re.DOTALL)[1])
    assert shown[:2] == printed[:2] and len(shown) == len(printed) == 18
    for there, here in zip(shown[2:], printed[2:], strict=True):
        # The fit's least squares differ in their last bits from machine to machine.
        assert numbers(there) == pytest.approx(numbers(here), rel=0.1, abs=1.01)


def test_reading_and_workers_are_those_that_were_measured():
    page = (ROOT / "docs/scaling.md").read_text()
    (row,) = re.findall(r"^\| 6,000,000 \|.*$", page, re.MULTILINE)
    _, reading, _, per_row, *_, worker = cells(row)[0]
    assert per_row == "14.9 µs" and worker == f"{cluster_sizes.WORKER / 1e6:.0f} MB"
    job = Job(6e6, 784, 1, 64, 10, 2)
    assert job.reading(2) == pytest.approx(float(reading.removesuffix(" s")), rel=0.01)


def test_executors_that_the_page_on_scaling_names_are_those_of_the_table(capsys):
    text = (ROOT / "docs/scaling.md").read_text()
    found = re.search(
        r": 1 executor of 4 cores for 10 million\s+rows, (\d+) for 100 million, (\d+) for 1,000 million", text
    )
    cluster_sizes.main(["--columns", "784", "--units", "64"])
    executors = [int(row[3]) for row in cells(capsys.readouterr().out)[2:]]
    assert executors[1:] == [1, int(found[1]), int(found[2])]


def test_an_epoch_is_that_of_the_cost_model():
    parts = MODEL.parts("parameters", 1e8, scaling.parameters(64), 400, 400)
    job = Job(1e8, 784, 1, 64, 10, 1)
    moved = scaling.network("parameters", scaling.parameters(64), 400)
    assert job.epoch(MODEL, 400) == pytest.approx(parts.sum() + moved)
    wide, as_wide = job._replace(columns=1568), job._replace(columns=1568, rows=2e8)
    assert job.weights < wide.weights and wide.epoch(MODEL, 400) < as_wide.epoch(MODEL, 400)
    assert wide.epoch(MODEL, 400) - parts.sum() > parts[2]  # its rows are read for twice the time


def test_executors_are_the_fewest_that_end_in_time():
    count = cluster_sizes.executors_for(PIXELS, MODEL, cores=4, seconds=600, most=250)
    assert 1 < count < 250
    assert PIXELS.seconds(MODEL, 4 * count) <= 600 < PIXELS.seconds(MODEL, 4 * (count - 1))
    assert cluster_sizes.executors_for(PIXELS, MODEL, cores=4, seconds=1, most=7) == 7
    assert cluster_sizes.executors_for(PIXELS, MODEL, cores=4, seconds=1e9, most=250) == 1


def test_a_heap_holds_an_executors_rows_in_the_part_that_the_job_uses_for_them():
    heap = cluster_sizes.heap_for(PIXELS, 5)
    assert 0.5 * 0.6 * (heap - (300 << 20)) == pytest.approx(1e7 * 784 / 5)
    assert cluster_sizes.heap_for(PIXELS._replace(rows=10), 5) == 1e9


def test_overhead_has_a_worker_for_each_core_and_the_sums_of_a_group():
    few, many = (cluster_sizes.overhead_for(PIXELS, count, 4) for count in (1, 100))
    size = 8 * PIXELS.weights
    assert few == 4 * (182e6 + size) and many == 4 * (182e6 + 20 * size)  # 400 partitions: 20 groups


def test_a_job_of_ones_own_replaces_the_grid(capsys):
    table = ["--rows", "5e7", "--columns", "300", "--value-bytes", "4", "--units", "256", "--classes", "2"]
    cluster_sizes.main([*table, "--memory", "100"])
    _, _, row = cells(capsys.readouterr().out)
    assert row[:3] == ["50,000,000", "300", "256"] and "disk" not in row[4]
    cluster_sizes.main([*table, "--memory", "8"])
    assert cells(capsys.readouterr().out)[2][4] == "7 GB, rows on disk"

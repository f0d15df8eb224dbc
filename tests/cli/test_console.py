"""What the user watches: a table in a log, one live line on a terminal."""

import io

from nn.cli.console import ProgressBackend, Table, line_of
from nn.data.batches import RowSelection
from nn.data.local_rdd import LocalRDD
from nn.optim.requests import Gradients
from nn.training.backend import Job, Objective
from nn.training.local import LocalBackend
from nn.training.plan import Plan
from nn.training.records import Epoch, Measures, Progress, Sums

EPOCHS = [Epoch(1, 1.25, 0.5, 0.1, True, 700, 0.2), Epoch(2, 1.5, 0.25, 0.12, False, 690, 0.2)]


def show(live):
    stream = io.StringIO()
    table = Table(Plan(1000, 2, batch_size=500), live, stream=stream)
    backend = ProgressBackend(LocalBackend(LocalRDD([])), table)
    backend._backend.run = lambda jobs: [Sums(Measures(1, 1.0, 1.0, 1.0))]

    def epochs():
        for number in (1, 2):
            for batch in (0, 1):
                backend.run([Job(Objective(None), Gradients(None), RowSelection(0, number, batch=batch))])
            yield Progress({}, tuple(EPOCHS[:number]))

    assert len(list(table.watch(epochs()))) == 2
    return stream.getvalue()


def test_log_gets_a_line_an_epoch_under_a_header():
    header, first, second = show(live=False).splitlines()
    assert header.split() == ["epoch", "cost", "accuracy", "rate", "accepted", "rows", "seconds", "left"]
    assert first.split()[:7] == ["1/2", "1.250000", "50.00%", "0.1", "yes", "700", "0.20"]
    assert second.split()[4] == "rejected"
    assert len({len(line) for line in (header, first, second)}) == 1


def test_log_gets_the_lines_of_a_round_of_epochs_together():
    stream = io.StringIO()
    lines = [Epoch(number, 1.0, 0.5, 0.1, True, 700, 0.2) for number in range(1, 6)]
    table = Table(Plan(1000, 5, batch_size=500, epochs_per_round=2), False, done=2, stream=stream)
    list(table.watch(iter([Progress({}, tuple(lines[:4])), Progress({}, tuple(lines))])))
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["epoch", "3/5", "4/5", "5/5"]


def test_terminal_gets_one_line_that_moves_with_every_job():
    shown = show(live=True)
    bars = [part for part in shown.split("\r") if part.startswith("[")]
    assert [bar.count("#") for bar in bars] == [2, 5, 5, 7, 10, 10]
    assert all(len(bar) < 80 for bar in bars)
    assert "epoch 1/2" in bars[3] and bars[-1].rstrip().endswith("rejected  0s left")
    assert shown.count("\n") == 2 and "1.500000" in shown.splitlines()[-1]


def test_the_live_line_of_a_long_run_fits_a_terminal_of_80(monkeypatch):
    monkeypatch.setattr("nn.cli.console._columns", lambda: 80)
    for accepted, word in ((True, "  rate 0.00123  "), (False, "  rejected  ")):
        stream = io.StringIO()
        table = Table(Plan(1000, 100, batch_size=500, validates=True), True, stream=stream)
        line = Epoch(99, 1.25, 0.5, 0.00123, accepted, 700, 0.2, val_cost=1.5, val_accuracy=0.9876)
        list(table.watch(iter([Progress({}, (line,) * 99)])))
        bar = next(part for part in stream.getvalue().split("\r") if part.startswith("["))
        assert word in bar and bar.rstrip().endswith("s left") and len(bar) == 79


def test_line_of_keeps_huge_and_missing_numbers_in_their_columns():
    line = line_of(Epoch(1, float("inf"), float("nan"), 1e-8, True, 12_345_678, 0.1), 100, 5)
    assert len(line) == len(line_of(EPOCHS[0], 2, 5))
    assert len(line_of(Epoch(1, 9.1e34, 0.5, 1e3, True, 9, 0.1), 100, 5)) == len(line)
    assert "inf" in line and "nan%" in line and "1e-08" in line and "12,345,678" in line


def test_a_regression_has_no_column_for_accuracy():
    stream = io.StringIO()
    table = Table(Plan(1000, 2, validates=True), False, stream=stream, has_accuracy=False)
    line = Epoch(1, 1.25, None, 0.1, True, 700, 0.2, val_cost=1.5)
    list(table.watch(iter([Progress({}, (line,))])))
    header, row = stream.getvalue().splitlines()
    assert header.split() == ["epoch", "cost", "rate", "accepted", "rows", "seconds", "left", "val", "cost"]
    assert row.split()[:2] == ["1/2", "1.250000"] and row.split()[-1] == "1.500000" and "-" not in row
    assert len(row) == len(header)

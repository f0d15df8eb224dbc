"""Histories: what is written can be read, and what cannot be read is named in one line."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.plotting.histories import PHASES, Curve, read_history, read_series
from nn.plotting.textfiles import BadFileError

HEADER = "epoch,cost,accuracy,learning_rate,accepted,rows,seconds\n"
VALIDATED = HEADER.replace("\n", ",val_cost,val_accuracy\n")
TIMED = VALIDATED.replace("\n", ",schedule,read,compute,sum,update\n")
LINE = "1,1,1,0.1,1,7,1,,"


def write(tmp_path, text, name="history.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def message(read, path):
    with pytest.raises(BadFileError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(path))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=20))
def test_read_series_reads_what_python_writes(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("series") / "part-00000"
    path.write_text("".join(f"{value}\n" for value in values))
    np.testing.assert_array_equal(read_series(path).values, values)


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=60)
    | st.text(alphabet="0123456789.,-+eE_naif \r\n\t;\x00", max_size=40).map(str.encode)
)
@pytest.mark.parametrize("read", [read_series, read_history])
def test_any_bytes_give_numbers_or_one_line(tmp_path_factory, read, content):
    path = tmp_path_factory.mktemp("hostile") / "file"
    path.write_bytes(content)
    try:
        read(path)
    except BadFileError as error:
        assert str(error).startswith(str(path))
        assert "\n" not in str(error)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(), st.floats(0, 1), st.floats(allow_nan=False), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_read_history_reads_what_a_run_writes(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("history") / "history.csv"
    lines = [f"{i},{c},{a},{r},{int(s)},700,0.21" for i, (c, a, r, s) in enumerate(rows, start=1)]
    path.write_text(HEADER + "\n".join(lines) + "\n")
    history = read_history(path)
    costs, accuracies, rates, accepted = zip(*rows, strict=True)
    np.testing.assert_array_equal(history.cost.values, costs)
    np.testing.assert_array_equal(history.accuracy.values, accuracies)
    np.testing.assert_array_equal(history.learning_rate.values, rates)
    np.testing.assert_array_equal(history.cost.accepted, accepted)
    np.testing.assert_array_equal(history.cost.epochs, range(1, len(rows) + 1))


def test_read_series_takes_part_files_in_order_and_empty_ones(tmp_path):
    for name, text in {
        "part-00001": "0.2\n0.1\n",
        "part-00000": "0.3\n",
        "part-00002": "",
        "_SUCCESS": "",
    }.items():
        write(tmp_path, text, name)
    np.testing.assert_array_equal(read_series(tmp_path).values, [0.3, 0.2, 0.1])


def test_read_series_does_not_trust_the_order_of_the_file_system(tmp_path, monkeypatch):
    parts = [write(tmp_path, f"{i}\n", f"part-{i:05d}") for i in range(3)]
    monkeypatch.setattr(type(tmp_path), "glob", lambda *_: iter(parts[::-1]))
    assert read_series(tmp_path).values.tolist() == [0, 1, 2]


def test_read_series_takes_windows_line_ends_a_bom_and_blank_last_lines(tmp_path):
    np.testing.assert_array_equal(
        read_series(write(tmp_path, "\ufeff0.5\r\n0.25\r\n\r\n")).values, [0.5, 0.25]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": expected one number a line, found no line at all"),
        ("\n\n", ": expected one number a line, found no line at all"),
        ("0.5\nabc\n", ", line 2: expected one number, found 'abc'"),
        ("0.5 0.4\n", ", line 1: expected one number, found '0.5 0.4'"),
        ("np.float64(0.5)\n", ", line 1: expected one number, found 'np.float64(0.5)'"),
        ("1_0\n", ", line 1: expected one number, found '1_0'"),
        ("0.5\n\n0.4\n", ", line 2: expected numbers, found an empty line"),
        ("1," * 500, ", line 1: expected one number, found '" + "1," * 20 + "...'"),
    ],
)
def test_read_series_names_the_line(tmp_path, text, expected):
    assert message(read_series, write(tmp_path, text)) == expected


def test_a_missing_file_and_a_folder_without_parts_are_named(tmp_path):
    assert message(read_series, tmp_path / "nowhere") == ": no such file"
    assert message(read_series, tmp_path) == ": expected part-* files in this folder, found none"
    assert "cannot be read" in message(read_history, tmp_path)


def test_read_history_finds_columns_by_name(tmp_path):
    text = "learning_rate,new,accepted,accuracy,epoch,cost\n0.1,x,1,0.9,1,0.5\n0.2,,0,0.8,3,0.7\n"
    history = read_history(write(tmp_path, text))
    assert history.cost.values.tolist() == [0.5, 0.7]
    assert history.accuracy.values.tolist() == [0.9, 0.8]
    assert history.learning_rate.values.tolist() == [0.1, 0.2]
    assert history.cost.epochs.tolist() == [1, 3]
    assert history.cost.accepted.tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": expected a header line, found an empty file"),
        (HEADER, ": expected at least one line after the header, found the header only"),
        (
            "epoch,cost\n1,2\n",
            ", line 1: expected a column named 'accuracy' in the header, found 'epoch,cost'",
        ),
        (HEADER + "1,0.5,0.9,0.1,1,700\n", ", line 2: expected 7 values as in the header, found 6"),
        (HEADER + "1,x,0.9,0.1,1,700,1\n", ", line 2: expected a cost, found 'x'"),
        (HEADER + "1,1,1.5,0.1,1,700,1\n", ", line 2: expected an accuracy from 0 to 1, found '1.5'"),
        (HEADER + "1,1,1,0.1,yes,700,1\n", ", line 2: expected accepted to be 1 or 0, found 'yes'"),
        (HEADER + "1,1,1,0.1,1,7,1\n1,1,1,1,1,7,1\n", ", line 3: expected an epoch after 1, found 1"),
        (HEADER + "1.5,1,1,0.1,1,7,1\n", ", line 2: expected an epoch number, found '1.5'"),
        (VALIDATED + "1,1,1,0.1,1,7,1,x,1\n", ", line 2: expected a validation cost, found 'x'"),
        (
            VALIDATED + "1,1,1,0.1,1,7,1,,\n2,1,1,0.1,1,7,1,1,-0.1\n",
            ", line 3: expected a validation accuracy from 0 to 1, found '-0.1'",
        ),
        (VALIDATED + "1,,1,0.1,1,7,1,1,1\n", ", line 2: expected a cost, found ''"),
        (TIMED + f"{LINE},1,2,x,4,5\n", ", line 2: expected seconds of compute from 0 to 1e+09, found 'x'"),
        (
            TIMED + f"{LINE},-1,2,3,4,5\n",
            ", line 2: expected seconds of schedule from 0 to 1e+09, found '-1'",
        ),
        (TIMED + f"{LINE},1,nan,3,4,5\n", ", line 2: expected seconds of read from 0 to 1e+09, found 'nan'"),
        (
            TIMED + f"{LINE},1,2,3,1e300,5\n",
            ", line 2: expected seconds of sum from 0 to 1e+09, found '1e300'",
        ),
        (
            TIMED + f"{LINE},,,,,\n2{LINE[1:]},1,2,3,4,\n",
            ", line 3: expected seconds of update from 0 to 1e+09, found ''",
        ),
        (HEADER + "9" * 30 + ",1,1,0.1,1,7,1\n", f", line 2: expected an epoch number, found '{'9' * 30}'"),
    ],
)
def test_read_history_names_the_line(tmp_path, text, expected):
    assert message(read_history, write(tmp_path, text)) == expected


def test_read_history_takes_validation_where_a_run_has_it(tmp_path):
    text = VALIDATED + "1,9,0.1,0.1,1,7,1,8,0.25\n2,7,0.2,0.1,0,7,1,nan,0.5\n"
    history = read_history(write(tmp_path, text))
    np.testing.assert_array_equal(history.val_cost.values, [8, math.nan])
    assert history.val_accuracy.values.tolist() == [0.25, 0.5]
    assert history.val_accuracy.accepted.tolist() == [True, False]
    assert history.cost.values.tolist() == [9, 7]
    assert list(history.curves) == [
        "cost", "accuracy", "learning rate", "validation cost", "validation accuracy"
    ]  # fmt: skip
    assert history.curves["validation accuracy"] is history.val_accuracy
    assert history.curves["validation cost"] is history.val_cost


def test_read_history_passes_over_epochs_without_validation(tmp_path):
    rows = [
        "1,9,0.1,0.1,1,7,1,,",
        "2,7,0.2,0.1,0,7,1,6,0.5",
        "3,7,0.2,0.1,1,7,1, ,",
        "4,7,0.2,0.1,1,7,1,5,0.75",
    ]
    history = read_history(write(tmp_path, VALIDATED + "\n".join(rows) + "\n"))
    assert history.val_cost.epochs.tolist() == [2, 4]
    assert history.val_cost.values.tolist() == [6, 5]
    assert history.val_accuracy.accepted.tolist() == [False, True]
    assert history.cost.epochs.tolist() == [1, 2, 3, 4]


def test_read_history_has_no_validation_in_older_files_and_in_empty_columns(tmp_path):
    for text in (HEADER + "1,9,0.1,0.1,1,7,1\n", VALIDATED + "1,9,0.1,0.1,1,7,1,,\n"):
        history = read_history(write(tmp_path, text))
        assert (history.val_cost, history.val_accuracy) == (None, None)
        assert list(history.curves) == ["cost", "accuracy", "learning rate"]


def test_read_history_takes_the_phases_by_name(tmp_path):
    text = TIMED.replace("schedule,read", "read,schedule") + f"{LINE},1,2,3,4,5\n3{LINE[1:]},0,0.5,0,1e9,0\n"
    phases = read_history(write(tmp_path, text)).phases
    assert PHASES == ("schedule", "read", "compute", "sum", "update")
    assert phases.epochs.tolist() == [1, 3]
    assert phases.seconds.tolist() == [[2, 1, 3, 4, 5], [0.5, 0, 0, 1e9, 0]]


def test_read_history_passes_over_epochs_without_phases(tmp_path):
    text = TIMED + f"{LINE},,,, ,\n2{LINE[1:]},1,2,3,4,5\n"
    history = read_history(write(tmp_path, text))
    assert (history.phases.epochs.tolist(), history.phases.seconds.tolist()) == ([2], [[1, 2, 3, 4, 5]])
    assert history.cost.epochs.tolist() == [1, 2]


def test_read_history_has_no_phases_in_older_files_in_empty_columns_and_in_some_of_them(tmp_path):
    for text in (
        VALIDATED + f"{LINE}\n",
        TIMED + f"{LINE},,,,,\n",
        *(TIMED.replace(f",{name}", ",new") + f"{LINE},1,2,3,4,5\n" for name in PHASES),
    ):
        assert read_history(write(tmp_path, text)).phases is None


def curve(values, accepted):
    return Curve(np.arange(1, len(values) + 1), np.array(values, dtype=float), np.array(accepted, dtype=bool))


def test_last_accepted_carries_the_value_of_the_last_accepted_step():
    last_accepted = curve([5, 4, 9, 8, 3], [1, 1, 0, 0, 1]).last_accepted()
    np.testing.assert_array_equal(last_accepted, [5, 4, 4, 4, 3])


def test_last_accepted_is_nan_before_the_first_point_and_where_nothing_can_be_drawn():
    last_accepted = curve([5, 4, math.inf, math.nan, 1e300], [0, 1, 1, 1, 1]).last_accepted()
    np.testing.assert_array_equal(last_accepted, [math.nan, 4, math.nan, math.nan, math.nan])

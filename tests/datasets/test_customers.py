"""The table of customers: what its columns hold, that it is reproducible and never half-written."""

import csv
import datetime
import os
from pathlib import Path

import numpy as np
import pytest

from nn.datasets import customers


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as text:
        return list(csv.DictReader(text))


def test_columns_hold_what_a_shop_would_have(tmp_path):
    written = customers.write_table(str(tmp_path), 500, seed=0)
    assert written.path == str(tmp_path / "customers.csv")
    assert written.size == os.path.getsize(written.path)
    rows = rows_of(written.path)
    assert tuple(rows[0]) == customers.HEADER
    assert [int(row["id"]) for row in rows] == list(range(1_001, 1_501))
    assert {row["city"] for row in rows} == set(customers.CITIES)
    assert {row["bought"] for row in rows} == {"yes", "no"}
    assert {row["member"] for row in rows} == {"true", "false"}
    assert 5 <= sum(row["age"] == "" for row in rows) <= 40
    assert 5 <= sum(row["income"] == "NA" for row in rows) <= 40
    assert all(datetime.date.fromisoformat(row["since"]) >= customers.FIRST_DAY for row in rows)
    assert 0.3 < np.mean([row["bought"] == "yes" for row in rows]) < 0.7
    assert min(float(row["spent"]) for row in rows) > 0


def test_fewer_rows_are_the_first_of_more_and_another_seed_draws_others(tmp_path):
    few, more, other = (
        Path(customers.write_table(str(tmp_path / name), rows, seed).path).read_text()
        for name, rows, seed in (("few", 20, 3), ("more", 40, 3), ("other", 20, 4))
    )
    assert more.startswith(few)
    assert few.count("\n") == 21
    assert few != other


def test_a_table_that_could_not_be_finished_leaves_the_old_one(tmp_path, monkeypatch):
    path = customers.write_table(str(tmp_path), 5, seed=0).path
    before = Path(path).read_text()

    def broken(row, seed):
        raise OSError("disk full")

    monkeypatch.setattr(customers, "draw", broken)
    with pytest.raises(OSError, match="disk full"):
        customers.write_table(str(tmp_path), 5, seed=1)
    assert Path(path).read_text() == before
    assert os.listdir(tmp_path) == ["customers.csv"]


def test_a_folder_with_the_name_of_the_table_is_refused(tmp_path):
    (tmp_path / "customers.csv").mkdir()
    with pytest.raises(IsADirectoryError, match="found a folder of that name"):
        customers.write_table(str(tmp_path), 5, seed=0)

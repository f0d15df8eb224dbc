"""Rubbish is accepted rightly or refused in one line: the short version of tests/robustness/fuzzing.py."""

from pathlib import Path
from random import Random

import pytest

from tests.robustness import fuzzing, fuzzing_spark
from tests.support.data import blobs, write_csv
from tests.support.result_files import holds_no_results
from tests.support.submitting import MAIN, submit

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("kind", fuzzing.KINDS)
def test_rubbish_is_accepted_rightly_or_refused_in_one_line(kind, count):
    seen = {fuzzing.offer(kind, seed) for seed in range(count(60, 12_500))}
    assert seen == {fuzzing.ACCEPTED, fuzzing.REFUSED}


def test_the_judge_sees_what_is_wrong(monkeypatch):
    monkeypatch.setattr(
        fuzzing.csv,
        "to_array",
        lambda lines, dialect, *others, **more: fuzzing.np.zeros((len(lines), dialect.width)),
    )
    with pytest.raises(AssertionError):
        for seed in range(100):
            fuzzing.offer("rows of images", seed)


def test_the_judge_sees_a_model_or_a_checkpoint_that_is_taken_for_another(monkeypatch):
    whole = fuzzing.npz.from_bytes

    def bent(content):
        return {
            name: array if array.dtype.kind == "U" else array[::-1].copy()
            for name, array in whole(content).items()
        }

    monkeypatch.setattr(fuzzing.model_file.npz, "from_bytes", bent)
    for kind in ("model.npz", "checkpoints"):
        with pytest.raises(AssertionError):
            for seed in range(100):
                fuzzing.offer(kind, seed)


def _broken_missing_values(monkeypatch):
    monkeypatch.setattr("nn.data.tables.is_missing", lambda value: value is None)


def _broken_comments(monkeypatch):
    monkeypatch.setattr("nn.data.quoted_text.QuotedText.is_comment", lambda text, line: False)


def _broken_separator(monkeypatch):
    monkeypatch.setattr("nn.data.quoted_text._separator", lambda lines: ",")


def _broken_codes(monkeypatch):
    monkeypatch.setattr(
        "nn.data.tables.pack_categories", lambda names, values: fuzzing.np.zeros(len(names), "f4")
    )


def _broken_scale(monkeypatch):
    monkeypatch.setattr("nn.data.encoding.Number.__post_init__", lambda self: None)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        ("quoted text", _broken_comments),
        ("quoted text", _broken_separator),
        ("tables in Python", _broken_missing_values),
        ("tables in Python", _broken_codes),
        ("predictions from tables", _broken_codes),
        ("models of tables", _broken_scale),
    ],
)
def test_the_judge_sees_a_table_that_is_taken_for_another(monkeypatch, kind, broken):
    broken(monkeypatch)
    with pytest.raises((AssertionError, ArithmeticError, RuntimeWarning)):
        for seed in range(300):
            fuzzing.offer(kind, seed)


def test_the_judge_sees_a_hang_whoever_handles_it(monkeypatch):
    def hang(random):
        try:
            while True:
                pass
        except Exception:
            return fuzzing.REFUSED

    monkeypatch.setitem(fuzzing.KINDS, "labels", hang)
    monkeypatch.setattr(fuzzing, "PATIENCE", 0.1)
    with pytest.raises(fuzzing.Hang):
        fuzzing.offer("labels", 0)


@pytest.mark.parametrize("kind", fuzzing_spark.KINDS)
def test_tables_through_spark_are_accepted_rightly_or_refused_in_one_line(spark, kind, count):
    seen = {fuzzing_spark.offer(kind, seed, spark) for seed in range(count(4, 300))}
    assert seen <= {fuzzing.ACCEPTED, fuzzing.REFUSED}


def test_the_judge_sees_a_table_that_spark_reads_wrongly(spark, monkeypatch):
    monkeypatch.setattr(
        "nn.spark.input.table_columns.is_missing", lambda column, missing_values: column.isNull()
    )
    with pytest.raises(AssertionError):
        for seed in (12, 27, 31):  # with missing values written as words
            fuzzing_spark.offer("quoted text, by Spark", seed, spark)


@pytest.mark.spark
def test_rubbish_through_spark_submit_is_one_line(tmp_path, count):
    """Bent files in the places of whole ones: the job ends well, or with a line and nothing written."""
    inputs, labels = blobs(60, width=6)
    whole = [write_csv(tmp_path / name, values) for name, values in (("x.csv", inputs), ("y.csv", labels))]
    for seed in range(count(2, 24)):
        random, folder = Random(seed), tmp_path / str(seed)
        folder.mkdir()
        paths = [*whole, *whole]
        bent = random.randrange(4)
        (folder / "bent.csv").write_bytes(fuzzing.bent(random, Path(paths[bent]).read_bytes()))
        paths[bent] = str(folder / "bent.csv")
        done = submit(MAIN, *paths, "out", "--epochs", "2", "--hidden", "3", cwd=folder)
        assert "Traceback" not in done.stdout and done.returncode in (0, 2, 3), (
            f"{seed}: {done.stdout[-3000:]}"
        )
        if done.returncode:
            assert done.stdout.splitlines()[-1].startswith("main_task.py: error: "), (
                f"{seed}: {done.stdout[-3000:]}"
            )
            assert holds_no_results(folder / "out")
        else:
            assert (folder / "out" / "_SUCCESS").exists()

"""The plan that --dry-run prints and the errors that it raises; it starts nothing."""

import dataclasses
import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nn.cli import dry_run, parser
from nn.cli.local_facts import read_facts
from nn.cli.local_paths import local_files
from nn.core.errors import DataError, MissingFileError, PlatformError, UsageError
from nn.data import csv
from nn.data.local_rdd import local_rdd
from nn.spark.storage import lock_file
from nn.training.assembly import network_of, optimizer_of, plan_of, split_of
from nn.training.backend import Facts
from nn.training.recipe import Recipe
from nn.training.records import Progress
from tests.support import ROOT
from tests.support.data import blobs, write_csv
from tests.support.networks import pixels
from tests.support.training import descend_on, measure_on, train


def options_of(csv_set, *words):
    return parser.parse([*csv_set, "out", *words])


def test_dry_run_says_the_plan_without_java(csv_set):
    words = ["--hidden", "8", "--batch-size", "60", "--validation-fraction", "0.5", "--epochs", "3"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "main_task.py"), *csv_set, "out", *words, "--dry-run"],
        capture_output=True,
        text=True,
        env={"PATH": "", "JAVA_HOME": "/nowhere"},
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "dry run   nothing was started"
    assert lines[1] == (
        "data      240 training rows (114 held out for validation) of 16 values, 3 classes, in as many partitions as "
        "tasks run at once"
    )
    assert any(line.split() == ["total", "163"] for line in lines)
    assert "jobs      4 per epoch, 12 in all" in lines  # 3 batches, Bold Driver's closing pass
    assert lines[-1].startswith("step      652 bytes of parameters to every task")


def test_dry_run_says_which_values_of_the_file_do_not_apply(csv_set):
    recipe = str(ROOT / "recipes" / "mlp.json")
    words = ["--config", recipe, "--dry-run", "--optimizer", "momentum", "--epochs", "3"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "main_task.py"), *csv_set, "out", *words],
        capture_output=True,
        text=True,
        env={"PATH": "", "JAVA_HOME": "/nowhere"},
    )
    first, second, *rest = done.stdout.splitlines()
    assert first == (
        f"note      --optimizer momentum: learning-rate 0.0015 and schedule one-cycle of {recipe} do not apply"
    )
    assert second == "dry run   nothing was started" and not any(line.startswith("note") for line in rest)


def test_dry_run_counts_what_replicas_carry(csv_set):
    told = dry_run.lines(
        options_of(csv_set, "--average", "parameters", "--optimizer", "momentum", "--partitions", "4")
    )
    assert "in 4 partitions" in told and "jobs      1 per epoch" in told
    assert "of parameters and optimizer state to every task, as much of their changes back" in told
    words = ["--average", "parameters", "--epochs", "10", "--epochs-per-round", "4"]
    told = dry_run.lines(options_of(csv_set, *words))
    assert "jobs      1 per round of 4 epochs, 3 in all" in told
    assert "replicas in batches of 64 rows, averaged every 4 epochs;" in told


def test_dry_run_knows_no_far_files():
    told = dry_run.lines(parser.parse(["hdfs://x/a", "hdfs://x/b", "hdfs://x/c", "hdfs://x/d", "out"]))
    for name in ("TRAIN_IMAGES", "TRAIN_LABELS", "TEST_IMAGES", "TEST_LABELS"):
        assert f"note      {name}: not read, it is no plain text on this machine" in told.splitlines()
    assert told.startswith("dry run   nothing was started\n") and "--input-shape would give" in told


@pytest.mark.parametrize("argument", ["nowhere.csv", "nowhere/*.csv", "file:///nowhere.csv"])
def test_dry_run_refuses_a_file_that_is_not_there_as_the_run_does(csv_set, argument):
    with pytest.raises(
        MissingFileError, match="^" + re.escape(f"TEST_IMAGES: no such file or folder: {argument}") + "$"
    ):
        dry_run.lines(options_of([*csv_set[:2], argument, csv_set[3]]))
    named = dataclasses.replace(options_of([argument, *csv_set[1:]]), get_data="python make_it.py")
    with pytest.raises(MissingFileError, match="TRAIN_IMAGES: .*; make it with: python make_it.py$"):
        dry_run.lines(named)


def test_dry_run_says_nothing_of_what_may_lie_on_another_file_system(csv_set, monkeypatch):
    monkeypatch.setenv("HADOOP_CONF_DIR", "/etc/hadoop/conf")  # which may name another default file system
    for argument in ("nowhere.csv", "hdfs:/nowhere.csv", "s3a://bucket/{a,b}"):
        told = dry_run.lines(options_of([*csv_set[:2], argument, csv_set[3]]))
        assert "note      TEST_IMAGES: not read, it is no plain text on this machine" in told.splitlines()
        assert "TEST_LABELS" not in told and "240 training rows" in told
    with pytest.raises(MissingFileError):
        dry_run.lines(options_of([*csv_set[:2], "file:/nowhere.csv", csv_set[3]]))


def test_dry_run_refuses_an_output_that_the_run_would_refuse(csv_set, tmp_path):
    out = tmp_path / "out"

    def told(*flags, argument=out):
        return dry_run.lines(parser.parse([*csv_set, str(argument), *flags]))

    assert "240 training rows" in told() and not out.exists()
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match=f"^OUTPUT: expected a folder that is new or empty, .* in {out};"):
        told(argument=f"file://{out}")
    told("--overwrite")
    with pytest.raises(UsageError, match="^--resume: expected a run's folder"):
        told("--resume")
    with pytest.raises(PlatformError, match="thesis.tex as OUTPUT: .*thesis.tex is no folder"):
        told(argument=out / "thesis.tex")
    told(argument="hdfs://x/out")


def test_dry_run_tells_a_run_that_writes_to_output(csv_set, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    running = lock_file.this_process(lock_file.this_machine())
    (out / lock_file.NAME).write_bytes(running.to_bytes())
    for flags in ([], ["--overwrite"], ["--resume"]):
        with pytest.raises(
            UsageError, match=f"^OUTPUT: another run writes to {out}: process {os.getpid()} on "
        ):
            dry_run.lines(parser.parse([*csv_set, str(out), *flags]))
    (out / lock_file.NAME).write_bytes(running._replace(started=1).to_bytes())
    assert "240 training rows" in dry_run.lines(parser.parse([*csv_set, str(out)]))
    assert [path.name for path in out.iterdir()] == [lock_file.NAME]


@pytest.mark.parametrize(
    ("images", "labels", "words", "message"),
    [
        ("1,2,3\n", "-", ["--label-column", "9"], "--label-column: expected a column in -3..2"),
        (
            "1,2,3\n",
            "-",
            ["--label-column", "0", "--weight-column", "0"],
            "--weight-column: expected another column",
        ),
        ("", "0\n", [], "TRAIN_IMAGES: expected rows of numbers, found nothing in"),
        ("1,2\n", "", [], "TRAIN_LABELS: expected rows of numbers, found nothing in"),
        ("1,2\n", "a\n", [], "TRAIN_LABELS: expected rows of numbers, found none in"),
        ("a,b\n", "-", ["--label-column", "0"], "TRAIN_IMAGES: expected rows of numbers, found none in"),
        (
            "1,2\n1,x\n",
            "-",
            ["--label-column", "0"],
            "x.csv, line 2: expected a number as value 2 of 2, found 'x'",
        ),
        ("1,2\n1,2\n", "0\n1.5\n", [], "line 2: expected a whole number or a name as the label, found 1.5"),
    ],
)
def test_dry_run_refuses_what_is_plainly_wrong(tmp_path, images, labels, words, message):
    (tmp_path / "x.csv").write_text(images)
    (tmp_path / "y.csv").write_text("" if labels == "-" else labels)
    train = [str(tmp_path / "x.csv"), "-" if labels == "-" else str(tmp_path / "y.csv")]
    with pytest.raises(DataError, match=re.escape(message)):
        dry_run.lines(options_of([*train, *train], *words))


def test_dry_run_reads_a_name_among_the_labels_as_the_run_does_and_notes_its_line(csv_set, monkeypatch):
    monkeypatch.setattr(csv, "CHUNK_ROWS", 100)
    lines = Path(csv_set[1]).read_text().splitlines()
    lines[234] = "x"
    Path(csv_set[1]).write_text("\n".join(lines))
    told = dry_run.lines(options_of(csv_set))
    assert "240 training rows of 16 values, 4 classes" in told
    assert re.search(
        "note +TRAIN_LABELS: .*, line 235: expected a number as value 1 of 1, found 'x': read", told
    )


TABLE = 'name,color,"size, cm",bought\n"a ""b""",red,1,yes\nc,,2.5,no\nd,blue,NA,no\ne,red,4,yes\n'


def test_dry_run_reads_a_table_in_csv_without_spark(tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    words = [str(tmp_path / "t.csv"), "-", "-", "-", "out", "--test-fraction", "0"]
    table = [*words, "--label-column", "bought", "--drop-columns", "name"]
    told = dry_run.lines(parser.parse([*table, "--missing", "indicator"]))
    assert "4 training rows of 2 values, 2 classes" in told and "read with the reader of CSV" in told
    facts = read_facts(parser.parse([*table, "--missing", "indicator", "--format", "csv"]))
    assert [column.name for column in facts.columns] == ["color", "size, cm"]
    assert facts.columns[0].values == ("blue", "red") and facts.labeled.labels == ("no", "yes")
    assert facts.labels.tolist() == [1, 0, 0, 1]
    # one-hot: 2 values, others, missing values; a number and its missing values
    assert network_of(parser.parse([*table, "--missing", "indicator"]).recipe, facts).encoder.width == 6
    with pytest.raises(DataError, match="expected at least 2 classes, found class 1 alone"):
        read_facts(parser.parse([*table, "--missing", "drop"]))
    (tmp_path / "t.csv").write_text(TABLE + "e,red,5,no\n")
    assert read_facts(parser.parse([*table, "--missing", "drop"])).labels.tolist() == [1, 1, 0]
    target = [*words, "--label-column", "size, cm", "--task", "regression", "--missing-values", "2.5"]
    assert read_facts(parser.parse(target)) is None  # targets with missing values: the run tells which


def test_dry_run_tells_a_cell_that_is_no_number_in_a_column_of_numbers(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n2,3\n3,x\n")
    words = [str(tmp_path / "t.csv"), "-", "-", "-", "out", "--test-fraction", "0", "--label-column", "0"]
    with pytest.raises(DataError, match="line 4: expected a number as value 2 of 2, found 'x'"):
        dry_run.lines(parser.parse(words))
    assert "3 training rows" in dry_run.lines(parser.parse([*words, "--missing-values", "x"]))


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("laenge;breite;art\n4,0;2,3;a\n5,1;2,7;b\n", "laenge", "4,0"),
        ('price,rooms,sold\n"1,050",3,no\n"2,200,000",4,yes\n', "price", "1,050"),
        ("price;sold\n1.050.000;a\nNA;b\n2.200.000;b\n", "price", "1.050.000"),
        ("4 050;no\n4 060;yes\n4 050;no\n", "0", "4 050"),
    ],
)
def test_numbers_with_commas_or_with_thousands_apart_are_no_categories(tmp_path, text, name, found):
    (tmp_path / "t.csv").write_text(text)
    words = [str(tmp_path / "t.csv"), "-", "-", "-", "out", "--test-fraction", "0", "--label-column", "-1"]
    words = [*words, "--format", "csv", "--missing", "mean"]
    with pytest.raises(DataError) as caught:
        dry_run.lines(parser.parse(words))
    assert str(caught.value) == (
        f"TRAIN_IMAGES: {tmp_path}/t.csv: column {name!r}: expected numbers with a decimal point and no other marks, "
        f"found {found!r}; write them so, or name the column in --categorical"
    )
    assert "2 classes" in dry_run.lines(
        parser.parse([*words, "--categorical", "0,1" if "art" in text else "0"])
    )


def test_dry_run_tells_a_header_that_does_not_fit_the_rows(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,d\n1,x\n2,y\n")
    words = [str(tmp_path / "t.csv"), "-", "-", "-", "out", "--test-fraction", "0", "--label-column", "0"]
    with pytest.raises(DataError, match=r"t.csv: expected 2 names in the header, .*, found 4; --header no"):
        dry_run.lines(parser.parse([*words, "--format", "csv", "--header", "yes"]))


def test_dry_run_says_in_one_line_what_only_spark_reads(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1...PAR1")
    words = [str(tmp_path / "t.parquet"), "-", "-", "-", "out", "--test-fraction", "0", "--label-column", "y"]
    first, line = dry_run.lines(parser.parse(words)).splitlines()
    assert line.startswith("network   known only after Spark reads") and "--check reads the data too" in line


def test_dry_run_says_the_range_of_a_target_and_leaves_out_the_test_rows(tmp_path):
    write_csv(tmp_path / "t.csv", np.column_stack([np.arange(40), np.linspace(-1, 2.5, 40)]))
    words = [str(tmp_path / "t.csv"), "-", "-", "-", "out", "--label-column", "1", "--task", "regression"]
    told = dry_run.lines(parser.parse([*words, "--test-fraction", "0"]))
    assert "40 training rows of 1 value, a target from -1 to 2.5," in told
    assert "30 training rows" in dry_run.lines(parser.parse([*words, "--test-fraction", "0.25"]))


def test_dry_run_knows_the_path_that_spark_prints(csv_set):
    told = dry_run.lines(options_of([f"file:{path}" for path in csv_set]))
    assert "240 training rows" in told and "note" not in told


def test_dry_run_reads_no_line_without_end(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"1," * (1 << 20))
    (tmp_path / "y.csv").write_text("0\n")
    data_paths = [str(tmp_path / "x.csv"), str(tmp_path / "y.csv")] * 2
    assert read_facts(parser.parse([*data_paths, "out"])) is None


@pytest.mark.parametrize("end", ["", "\n", "\n\n\n", "\n  ", "\r\n"])
def test_labels_are_counted_without_headers_and_blank_ends(tmp_path, end):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    (tmp_path / "y.csv").write_bytes(f"label\n0\n4\n1{end}".encode())
    paths = [str(tmp_path / "x.csv"), str(tmp_path / "y.csv")] * 2
    facts = read_facts(parser.parse([*paths, "out"]))
    assert (facts.width, facts.labels.tolist(), facts.classes) == (2, [0, 4, 1], 5)


def test_lines_may_end_in_a_lone_carriage_return(tmp_path):
    words = [str(tmp_path / "x.csv"), "-", "-", "-", "out", "--test-fraction", "0", "--label-column", "2"]
    for text in ("a,b,c\r1,2,0\r3,4,1\r", 'a,b,c\r1,"x",0\r3,"y",1\r'):
        (tmp_path / "x.csv").write_bytes(text.encode())
        notes = []
        facts = read_facts(parser.parse(words), notes)
        assert facts.width == 2 and facts.labels.tolist() == [0, 1]
        assert bool(notes) == ('"' in text)


def test_folders_globs_and_label_columns_are_looked_at(tmp_path):
    inputs, labels = blobs(40, width=5)
    table = np.column_stack([labels, inputs])
    (tmp_path / "x").mkdir()
    for name, part in (("part-0", table[:30]), ("part-1", table[30:]), ("_SUCCESS", table[:0])):
        write_csv(tmp_path / "x" / name, part)
    for argument in (tmp_path / "x", tmp_path / "x" / "part-*", f"file://{tmp_path}/x"):
        words = [str(argument), "-", str(argument), "-", "out", "--label-column", "0"]
        facts = read_facts(parser.parse(words))
        assert (facts.width, facts.classes) == (5, 3) and facts.labels.tolist() == labels.tolist()
    with gzip.open(tmp_path / "x" / "part-2.gz", "wt") as file:
        file.write("1,2,3,4,5,6\n")
    assert read_facts(parser.parse(words)) is None


@pytest.mark.parametrize(
    "options",
    [
        {"sample": 0.7},
        {"batch_size": 50, "optimizer": "adam"},
        {"batch_size": 50, "optimizer": "adam", "validation_fraction": 0.2},
        {"batch_size": 50},
        {"layers": "dense:4,dropout:0.3"},
        {"average": "parameters", "rounds_per_epoch": 3},
        {"average": "parameters", "epochs_per_round": 2, "validation_fraction": 0.2},
        {"optimizer": "l-bfgs"},
    ],
)
def test_jobs_an_epoch_are_counted_as_they_are_made(options):
    recipe = (
        Recipe.of(epochs=3, learning_rate=1e-3, **options)
        if "l-bfgs" not in str(options)
        else Recipe.of(epochs=3, **options)
    )
    inputs, labels = blobs(200)
    model, split = network_of(recipe, pixels(16, 3, 255.0)), split_of(recipe, Facts(16, labels, 3))
    plan = plan_of(recipe, split.train_rows)
    optimizer = optimizer_of(recipe, plan)
    blocks = split.apply(local_rdd(inputs, labels)).persist()
    made = []

    def counted(job):
        def run(point, draw):
            made.append(draw.epoch)
            return job(point, draw)

        return run

    start = Progress(optimizer.init(model.init(0)))
    for _ in train(
        counted(measure_on(blocks, model)), optimizer, plan, start, counted(descend_on(blocks, model))
    ):
        pass
    assert made.count(3) == plan.jobs_per_epoch(optimizer)
    first = optimizer.can_reject and plan.batch_size is not None  # the cost of the initial weights
    assert len(made) == plan.jobs_in_all(optimizer) + first


@pytest.mark.parametrize(
    ("rows", "words", "message"),
    [
        ("1,0\n2,40000\n", [], "line 2: expected a class number in 0..999, found 40000"),
        ("1,0\n2,1\n3,40000\n", ["--class-weights", "balanced"], "line 3: expected a class number in 0..999"),
        ("1,0\n2,0\n", [], "TRAIN_IMAGES: expected at least 2 classes, found class 0 alone"),
        ("a,0\nb,0\n", [], "TRAIN_IMAGES: expected at least 2 classes, found class 0 alone"),
        ("a,0\nb,40000\n", [], "TRAIN_IMAGES: expected class numbers in 0..999, found 40000"),
    ],
)
def test_dry_run_refuses_labels_as_training_does(tmp_path, rows, words, message):
    (tmp_path / "t.csv").write_text(rows * 5)
    paths = [str(tmp_path / "t.csv"), "-", "-", "-", "out", "--test-fraction", "0", "--label-column", "1"]
    with pytest.raises(DataError, match=re.escape(message)):
        dry_run.lines(parser.parse([*paths, *words]))


def test_globs_that_hadoop_reads_otherwise_are_not_read(tmp_path, csv_set):
    for name in ("m/a.csv", "m/b/c.csv", "m/_d/e.csv", "n/part-a.csv", "n/part-b.csv", "n/part-^.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("0\n")
    assert local_files(f"{tmp_path}/m/*") == []  # Hadoop reads m/b/c.csv too
    assert local_files(f"{tmp_path}/m/*.csv") == local_files(f"{tmp_path}/m") == [f"{tmp_path}/m/a.csv"]
    assert local_files(f"{tmp_path}/n/part-[!a^].csv") == [f"{tmp_path}/n/part-b.csv"]
    for glob in ("n/part-[^a].csv", r"n/part-\a.csv", "m/*/"):
        assert local_files(f"{tmp_path}/{glob}") == []
    told = dry_run.lines(options_of([*csv_set[:2], f"{tmp_path}/n/part-[^a^].csv", csv_set[3]]))
    assert "note      TEST_IMAGES: not read" in told

"""The door: options that do not go together, one line an error, exit codes, and what is left on the disk."""

import gzip
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

import generate_data
from nn.core.format import print_line
from nn.datasets import catalogue, synthetic
from nn.datasets.catalogue import Published
from tests.support import ROOT

NAMES = [
    "dataset.json",
    "mnist_images_test.csv",
    "mnist_images_train.csv",
    "mnist_labels_test.csv",
    "mnist_labels_train.csv",
]


def run(*arguments) -> int:
    try:
        return generate_data.main([str(argument) for argument in arguments])
    except SystemExit as end:
        assert isinstance(end.code, int)
        return end.code


def the_error(capsys) -> str:
    """The one line on stderr, without its beginning."""
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("generate_data.py: error: ")
    return line.removeprefix("generate_data.py: error: ")


@pytest.fixture
def idx_folder(tmp_path):
    folder = tmp_path / "idx"
    folder.mkdir()
    for part, rows in (("train", 30), ("t10k", 20)):
        images = struct.pack(">4I", 2051, rows, 2, 2) + bytes(range(4 * rows))
        labels = struct.pack(">2I", 2049, rows) + bytes(row % 10 for row in range(rows))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / f"{part}-labels.idx1-ubyte").write_bytes(labels)
    return folder


def test_without_numpy_there_is_one_line(tmp_path):
    code = "import runpy, sys; sys.modules['numpy'] = None; runpy.run_path('generate_data.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 4 and done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("generate_data.py: error: no Python module named numpy here; install it with: ")


def test_from_folder_writes_the_set(tmp_path, idx_folder, capsys):
    out = tmp_path / "out"
    assert run("--from", idx_folder, "--output", out, "--digits", "7,3", "--limit", "4") == 0
    assert sorted(os.listdir(out)) == NAMES
    assert (
        out / "mnist_images_train.csv"
    ).read_text() == "12,13,14,15\n28,29,30,31\n52,53,54,55\n68,69,70,71\n"
    assert (out / "mnist_labels_train.csv").read_text() == "1\n0\n1\n0\n"
    manifest = json.loads((out / "dataset.json").read_text())
    assert (manifest["name"], manifest["classes"]) == ("idx (unverified)", ["7", "3"])
    assert manifest["command"].startswith("python generate_data.py --from ")
    printed = capsys.readouterr()
    assert "4 training and 4 test images of 2 x 2, 2 classes" in printed.out
    assert f"{out / 'mnist_labels_test.csv'}  8 bytes" in printed.out
    assert printed.err == ""


def test_a_folder_whose_name_is_no_text_is_written_to_and_printed_in_one_line(tmp_path, idx_folder, capsys):
    out = tmp_path / os.fsdecode(b"a\n\x1b[2J\xff")
    assert run("--from", idx_folder, "--output", out) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8 and all(line.isprintable() for line in lines)
    assert lines[-1].startswith(rf"  {tmp_path}/a\n\x1b[2J\udcff/dataset.json  ")
    assert "\udcff" in json.loads((out / "dataset.json").read_text(encoding="utf-8"))["command"]


def test_what_a_stream_cannot_encode_is_escaped(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_line("é\tü", stream, start="\r")
    assert stream.buffer.getvalue() == rb"\xe9\t\xfc".join([b"\r", b"\n"])


def test_synthetic_writes_the_set(tmp_path):
    out = tmp_path / "out"
    sizes = ("--train-rows", "1200", "--test-rows", "30", "--limit", "1100")
    assert run("--dataset", "synthetic", "--output", out, *sizes, "--seed", "3", "--digits", "4,2") == 0
    manifest = json.loads((out / "dataset.json").read_text())
    assert (manifest["name"], manifest["classes"], manifest["seed"]) == ("synthetic", ["4", "2"], 3)
    assert (manifest["train_rows"], manifest["test_rows"]) == (1_100, 30)
    assert np.loadtxt(out / "mnist_images_train.csv", delimiter=",").shape == (1_100, 784)
    assert set(np.loadtxt(out / "mnist_labels_train.csv").tolist()) == {0, 1}


def test_customers_writes_the_table(tmp_path, capsys):
    assert run("--dataset", "customers", "--output", tmp_path, "--limit", "30", "--seed", "2") == 0
    assert os.listdir(tmp_path) == ["customers.csv"]
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("customers: 30 made rows, columns id, age, income, city,")
    assert str(tmp_path / "customers.csv") in second


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "cifar"], "argument --dataset: invalid choice: 'cifar'"),
        (["--digits", "1"], "argument --digits: expected at least two classes, found '1'"),
        (["--digits", "1,1"], "argument --digits: expected each class once"),
        (["--digits", "1,10"], "argument --digits: expected classes in 0..9, found 10"),
        (["--digits", "a,b"], "argument --digits: expected class numbers separated by commas"),
        (["--limit", "0"], "argument --limit: expected a whole number in 1.."),
        (["--limit", "many"], "found 'many'"),
        (["--limit", "9" * 5_000], "argument --limit: expected a whole number in 1.."),
        (["--train-rows", "5"], "--train-rows needs --dataset synthetic"),
        (["--dataset", "kmnist", "--test-rows", "5"], "--test-rows needs --dataset synthetic"),
        (["--seed", "1"], "--seed needs --dataset synthetic or customers"),
        (["--dataset", "customers", "--test-rows", "5"], "--test-rows needs --dataset synthetic"),
        (["--dataset", "customers", "--digits", "1,2"], "--digits chooses images"),
        (["--dataset", "customers", "--format", "original"], "--format is that of images"),
        (["--dataset", "customers", "--from", "."], "--from reads the files of a published data set"),
        (["--dataset", "synthetic", "--seed", "-1"], "argument --seed: expected"),
        (["--dataset", "synthetic", "--from", "."], "--from reads the files of a published data set"),
        (["--from", "no/such/folder"], "argument --from: expected a folder, found none at 'no/such/folder'"),
        (["--output", ""], "argument --output: expected a folder, found ''"),
        (["--from", ""], "argument --from: expected a folder, found none at ''"),
        (["--output=--"], "argument --output: no option takes the value '--'"),
        (["--limit=--"], "argument --limit: no option takes the value '--'"),
        (["--limit", "--"], "argument --limit: expected one argument"),
        (["--limit="], "argument --limit: expected a whole number in 1..1000000000000, found ''"),
        (["--debug="], "argument --debug: ignored explicit argument ''"),
        (["-x\n\x1b[2J"], r"unrecognized arguments: -x\n\x1b[2J"),
        (["--from", "\x1b[2J\udcff"], r"expected a folder, found none at '\x1b[2J\udcff'"),
        (["--output", __file__], "argument --output: expected a folder, found a file"),
        (["--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (["--lim", "5"], "unrecognized arguments: --lim 5"),
    ],
)
def test_wrong_options_are_one_line_and_code_2(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert message in the_error(capsys)
    assert os.listdir(tmp_path) == []


def test_bad_data_is_one_line_and_code_3(tmp_path, idx_folder, capsys):
    path = idx_folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-10])
    assert run("--from", idx_folder, "--output", tmp_path / "out") == 3
    assert the_error(capsys).startswith(f"{path}: expected whole gzip data")
    assert not (tmp_path / "out").exists()


def test_no_network_is_one_line_and_code_4(tmp_path, monkeypatch, capsys):
    mirrors = ("http://127.0.0.1:1/", "http://127.0.0.1:2/")  # where nobody listens
    unreachable = Published("mnist", catalogue.DIGITS, mirrors, catalogue.MNIST.files)
    monkeypatch.setitem(catalogue.PUBLISHED, "mnist", unreachable)
    monkeypatch.setenv("no_proxy", "*")
    assert run("--output", tmp_path / "out") == 4
    printed = the_error(capsys)
    assert printed.startswith("could not download train-images-idx3-ubyte.gz (127.0.0.1:1: ")
    assert "127.0.0.1:2: " in printed
    assert "--dataset synthetic" in printed
    assert not (tmp_path / "out").exists()


def test_a_missing_package_is_one_line_and_code_4(tmp_path, monkeypatch, capsys):
    synthetic.load_strokes.cache_clear()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    small = ("--train-rows", "5", "--test-rows", "5")
    assert run("--dataset", "synthetic", "--output", tmp_path / "out", *small) == 4
    assert "pip install -r requirements.txt" in the_error(capsys)


def test_a_disk_that_cannot_be_written_is_one_line_and_code_4(tmp_path, idx_folder, capsys):
    (tmp_path / "file").touch()
    assert run("--from", idx_folder, "--output", tmp_path / "file" / "out") == 4
    assert "Not a directory" in the_error(capsys)


def test_debug_shows_where_an_error_came_from(tmp_path, idx_folder, capsys):
    os.remove(idx_folder / "t10k-images-idx3-ubyte.gz")
    assert run("--from", idx_folder, "--output", tmp_path / "out", "--debug") == 3
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert printed.splitlines()[-1].startswith("generate_data.py: error: ")


def test_help_shows_groups_and_defaults(capsys):
    assert run("--help") == 0
    printed = " ".join(capsys.readouterr().out.split())
    for expected in ("which data:", "made data", "output:", "(default: data)", "(default: compact)"):
        assert expected in printed


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupted_run_leaves_nothing(tmp_path, number, code):
    """The real script, from another folder, stopped in the middle of the first file."""
    out = tmp_path / "out"
    command = [sys.executable, os.path.join(ROOT, "generate_data.py"), "--dataset", "synthetic"]
    process = subprocess.Popen(
        [*command, "--output", str(out), "--train-rows", "100000000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first = out / f".unfinished-{process.pid}" / "mnist_images_train.csv"
    limit = time.monotonic() + 30
    while not (first.exists() and first.stat().st_size > 0) and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(number)
    _, printed = process.communicate(timeout=30)
    assert process.returncode == code
    assert os.listdir(out) == []
    assert "Traceback" not in printed

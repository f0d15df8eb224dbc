"""Rubbish for every door: made up by kind from a seed, offered, and judged by an oracle of its own.

`python -m tests.robustness.fuzzing 20000` offers so many inputs, shared out over the kinds, and prints a table of what
became of them. A kind makes an input from a random generator and offers it. It gives ACCEPTED or REFUSED, and raises
where the program was wrong: an error of another kind or of several lines, an input accepted that should not be, or
taken for another. What takes longer than PATIENCE seconds is a hang.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import signal
import struct
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from nn.cli import parser, resume
from nn.cli.options import Options
from nn.core import npz, tree
from nn.core.errors import UserError
from nn.core.options import options_of
from nn.data import csv
from nn.data.columns import Columns
from nn.data.labels import LabelReader
from nn.data.split import Split
from nn.datasets import idx
from nn.datasets.errors import DataError as IdxError
from nn.io import checkpoint
from nn.io.checkpoint import Checkpoint
from nn.models import model_file
from nn.models.classifier import Classifier
from nn.spark.input.parsing import Parsed, parse_images, parse_labels
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import LocalFolder
from nn.training.assembly import optimizer_of, plan_of, resolved
from nn.training.backend import Objective
from nn.training.recipe import Recipe
from nn.training.records import Epoch, Progress
from nn.training.run import TrainingRun
from nn.training.run_options import PATHS
from tests.robustness.fuzzing_columns import python_table
from tests.robustness.fuzzing_common import (
    ACCEPTED,
    FLOAT32,
    HOSTILE,
    NUMBER,
    NUMBERS,
    REFUSED,
    WRONG,
    Random,
    bent,
    changed_json,
    one_line,
)
from tests.robustness.fuzzing_predictions import encoder_file, prediction
from tests.robustness.fuzzing_quoted import quoted_file
from tests.robustness.fuzzing_tables import output_folder, plot_file, program_words, table
from tests.support.networks import multilayer_perceptron

PATIENCE = 10  # seconds
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")

# ---- lines of images ----


def image_lines(random: Random) -> str:
    """Rows of numbers in which something may be wrong."""
    width, mark = random.randint(1, 6), random.choice([",", ";", "\t", "|", " "])
    dialect = csv.Dialect(None if mark == " " else mark, width)
    rows = []
    for _ in range(random.randint(1, 30)):
        cells = [random.choice(NUMBERS[:3] if random.random() < 0.7 else NUMBERS) for _ in range(width)]
        if random.random() < 0.04:
            cells[random.randrange(width)] = random.choice(WRONG)
        if random.random() < 0.02:
            cells = cells[:-1] if random.random() < 0.5 else [*cells, "1"]
        rows.append(mark.join(cells))
    lines = [row.encode("utf-8", "surrogatepass") for row in rows]
    if random.random() < 0.05:
        lines[random.randrange(len(lines))] = random.randbytes(random.randint(0, 12)).replace(b"\n", b"")
    if random.random() < 0.05:
        number = random.randrange(len(lines))
        position = random.randrange(len(lines[number]) + 1)
        odd = random.choice([b"\xa0", b"\x85", b"\xff", b"\xc2\xa0", b"\x0b", b"\x1c"])
        lines[number] = lines[number][:position] + odd + lines[number][position:]
    starts_file = random.random() < 0.3
    if random.random() < 0.1:
        lines.insert(
            0, mark.join(random.choice(["a", "x1", "nan", "7", "", "b b"]) for _ in range(width)).encode()
        )
    if random.random() < 0.1:
        lines[0] = b"\xef\xbb\xbf" + lines[0]
    expected = _expected_rows(_without_header(lines, dialect) if starts_file else lines, dialect)
    parts = list(
        parse_images(
            dialect,
            Columns(dialect.width, tuple(range(dialect.width))),
            LabelReader(),
            (),
            0,
            starts_file,
            iter(lines),
        )
    )
    fault = parts[-1].fault
    assert parts[-1].lines == len(lines)
    if fault is not None:
        assert expected is None, f"{lines} refused: {fault}"
        one_line(f"{fault.expected}{fault.found}")
        return REFUSED
    values = [part.inputs for part in parts if isinstance(part, Parsed)]
    found = np.concatenate(values) if values else np.empty((0, width))
    assert expected is not None, f"{lines} read as {found.tolist()}"
    assert np.array_equal(found.astype(np.float32), expected), f"{lines} read as {found.tolist()}"
    return ACCEPTED


def _without_header(lines: list[bytes], dialect: csv.Dialect) -> list[bytes]:
    """What a file's lines hold beside a byte-order mark and a first line as wide as the rows without a number."""
    first, *rest = lines
    first = first.removeprefix(b"\xef\xbb\xbf")
    fields = [field.strip().lower() for field in first.decode(errors="replace").split(dialect.separator)]
    strange = ("nan", "inf", "infinity")
    bare = [
        field[1:-1].strip() if len(field) > 1 and field[0] == field[-1] in "'\"" else field
        for field in fields
    ]
    # A decimal comma makes a number too, which is refused where it is read as a value.
    named = not any(
        NUMBER.fullmatch(field) or DECIMAL_COMMA.fullmatch(field) or field.lstrip("+-") in strange
        for field in bare
    )
    return rest if named and any(fields) and len(fields) == dialect.width else [first, *rest]


def _expected_rows(lines: list[bytes], dialect: csv.Dialect) -> np.ndarray | None:
    """What the lines say, read in the slowest and plainest way; None where one of them is no row."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    rows = []
    for line in lines:
        try:
            cells = [cell.strip() for cell in line.decode().split(dialect.separator)]
        except UnicodeDecodeError:
            return None
        if len(cells) != dialect.width or not all(map(NUMBER.fullmatch, cells)):
            return None
        if any(abs(float(cell)) > FLOAT32 for cell in cells):
            return None
        rows.append([float(cell) for cell in cells])
    return np.array(rows, np.float64).astype(np.float32).reshape(len(rows), dialect.width)


def labels(random: Random) -> str:
    """Class numbers or one-hot rows in which something may be wrong."""
    classes = random.choice([1, 2, 10])
    width = 1 if random.random() < 0.6 else classes
    rows = []
    for _ in range(random.randint(1, 20)):
        label = (
            random.randrange(classes) if random.random() < 0.97 else random.choice([-1, classes, 1.5, 10**6])
        )
        cells = [str(label)] if width == 1 else [str(int(position == label)) for position in range(width)]
        if random.random() < 0.02:
            cells[random.randrange(width)] = random.choice(["1", "0.5", *WRONG])
        rows.append(",".join(cells))
    lines = [row.encode("utf-8", "surrogatepass") for row in rows]
    expected = _expected_labels(rows, width, csv.MAX_CLASSES)
    *parts, stats = parse_labels(
        csv.Dialect("," if width > 1 else None, width),
        LabelReader(classes=csv.MAX_CLASSES),
        0,
        False,
        iter(lines),
    )
    if stats.fault is not None:
        assert expected is None, f"{rows} refused: {stats.fault}"
        one_line(f"{stats.fault.expected}{stats.fault.found}")
        return REFUSED
    found = np.concatenate(parts).tolist() if parts else []
    assert found == expected, f"{rows} read as {found}"
    return ACCEPTED


def _expected_labels(rows: list[str], width: int, classes: int) -> list[int] | None:
    found = []
    while rows and not rows[-1].strip():
        rows = rows[:-1]
    for row in rows:
        cells = [cell.strip() for cell in (row.split(",") if width > 1 else row.split())]
        if len(cells) != width or not all(map(NUMBER.fullmatch, cells)):
            return None
        values = [float(cell) for cell in cells]
        if max(map(abs, values)) > FLOAT32:
            return None
        if width > 1:
            if sorted(values) != [0.0] * (width - 1) + [1.0]:
                return None
            values = [float(values.index(1.0))]
        if values[0] != int(values[0]) or not 0 <= values[0] < classes:
            return None
        found.append(int(values[0]))
    return found


# ---- files of bytes ----


def images_idx(random: Random) -> str:
    """An IDX file, gzipped or not, changed a little."""
    n, h, w = random.randint(0, 5), random.randint(1, 4), random.randint(1, 4)
    body = random.randbytes(n * h * w)
    content = struct.pack(">IIII", 2051, n, h, w) + body
    if random.random() < 0.3:
        content = gzip.compress(content)
    if random.random() < 0.9:
        content = bent(random, content)
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            found = idx.read_images(file.name, cap=1 << 16)
        except IdxError as error:
            one_line(str(error))
            return REFUSED
    raw = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    shape = struct.unpack(">III", raw[4:16])
    assert (
        found.values.shape == shape
        and found.values.tobytes() == raw[16:]
        and raw[:4] == struct.pack(">I", 2051)
    )
    return ACCEPTED


MODEL = multilayer_perceptron(5, 3, (4,), "tanh", "mse", scale=2.0)
MODEL_FILE = model_file.to_bytes(MODEL, MODEL.init(1), {"note": "x"})
HISTORY = tuple(Epoch(n, 1.0 / n, 0.5, 0.1, True, 7, 0.1, None, None) for n in (1, 2))
DATA = {"train": "f0", "test": "f1", "partitions": 2}
RUN = parser.parse(
    [
        "a.csv",
        "b.csv",
        "c.csv",
        "d.csv",
        "out",
        "--hidden",
        "4",
        "--activation",
        "tanh",
        "--optimizer",
        "momentum",
    ]
).for_cluster(2)
PLAN = plan_of(RUN.recipe, 7)
OPTIMIZER = optimizer_of(RUN.recipe, PLAN)
TRAINING = TrainingRun(Objective(MODEL), Split(7), PLAN, OPTIMIZER, RUN.recipe)
STATE = OPTIMIZER.move(
    OPTIMIZER.accept_or_reject(OPTIMIZER.init(MODEL.init(1)), 1.0)[0],
    [{key: np.ones_like(each) for key, each in layer.items()} for layer in MODEL.init(1)],
)
POINT = Checkpoint(Progress(STATE, HISTORY), RUN.resolved(), DATA, resume.versions())
POINT_FILE = checkpoint.to_bytes(POINT)
ARRAYS = [
    np.zeros((), np.float32),
    np.zeros(3),
    np.zeros((4, 3), np.float32),
    np.zeros((3, 4), np.float32),
    np.zeros(4, np.int64),
    np.array("text"),
    np.zeros((0, 3), np.float32),
    np.full((5, 4), np.nan, np.float32),
]


def rebuilt(random: Random, content: bytes, name: str) -> bytes:
    """The archive put together anew with something else in it."""
    arrays = npz.from_bytes(content)
    expected_json = json.loads(str(arrays[name]))
    for _ in range(random.choice([0, 1, 1, 2])):
        expected_json = changed_json(random, expected_json)
    arrays[name] = np.array(json.dumps(expected_json))
    if random.random() < 0.5:
        key = random.choice([*arrays, "9.W", "../x", "", "0.W.W", HOSTILE])
        arrays[key] = random.choice(ARRAYS)
    if random.random() < 0.2:
        arrays.pop(random.choice(list(arrays)))
    buffer = io.BytesIO()
    packing = zipfile.ZIP_DEFLATED if random.random() < 0.05 else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", packing) as file:
        for key, array in arrays.items():
            body = io.BytesIO()
            np.save(body, array)
            content = body.getvalue()
            if random.random() < 0.05:
                content = bent(random, content)
            if random.random() < 0.05:
                content = misdescribed(random, content)
            file.writestr(f"{key}.npy", content)
    return buffer.getvalue()


TYPES = [
    b"<U999999999",
    b"<U99999999",
    b"<U0",
    b">U4",
    b"|V8",
    b"|O",
    b"<f9",
    b"<f8",
    b"|b1",
    b"<M8[s]",
    b"<c8",
]


def misdescribed(random: Random, content: bytes) -> bytes:
    """An array's file whose header names another type."""
    head, newline, body = content.partition(b"\n")
    other = re.sub(rb"'descr': '[^']*'", b"'descr': '" + random.choice(TYPES) + b"'", head).rstrip()
    return other.ljust(len(head))[: len(head)] + newline + body


def model_npz(random: Random) -> str:
    """model.npz, changed in its bytes or put together anew."""
    content = bent(random, MODEL_FILE) if random.random() < 0.4 else rebuilt(random, MODEL_FILE, "config")
    try:
        classifier = Classifier(*model_file.from_bytes(content))
    except ValueError as error:
        one_line(str(error))
        return REFUSED
    arrays, expected_json = read_plainly(content, "config")
    names = {f"{n}.{key}": each for n, layer in enumerate(classifier.params) for key, each in layer.items()}
    assert names.keys() == arrays.keys()
    assert all(is_same(names[name], arrays[name]) for name in names)
    described = classifier.model.config()
    for name in ("input_shape", "scale", "loss"):
        assert name not in expected_json or is_contained(expected_json[name], described[name]), (
            name,
            expected_json[name],
            described[name],
        )
    assert len(expected_json["layers"]) == len(described["layers"])
    assert all(map(is_contained, expected_json["layers"], described["layers"])), (
        expected_json["layers"],
        described["layers"],
    )
    width = math.prod(classifier.model.input_shape)
    if width < 10_000:
        with np.errstate(all="ignore"):
            assert classifier.predict(np.ones((2, width), np.float32)).shape == (2,)
    return ACCEPTED


def checkpoint_file(random: Random) -> str:
    """A checkpoint, changed in its bytes or put together anew."""
    content = bent(random, POINT_FILE) if random.random() < 0.4 else rebuilt(random, POINT_FILE, "checkpoint")
    try:
        point = checkpoint.from_bytes(content)
    except ValueError as error:
        one_line(str(error))
        return REFUSED
    arrays, expected_json = read_plainly(content, "checkpoint")
    assert nests_are_same(expected_json["state"], point.progress.state, arrays)
    assert nests_are_same(expected_json["history"], [list(line) for line in point.progress.history], arrays)
    assert expected_json["config"] == point.config and expected_json["data"] == point.data
    try:  # what --resume asks of it next
        start = resume.Start(resume.continued(RUN, point.config, point.epoch), point, False)
        progress = start.progress(start.options, DATA, TRAINING)
    except UserError as error:
        one_line(str(error))
        return REFUSED
    assert nests_are_same(progress.state.slots, STATE.slots, {}, shapes_alone=True)
    for cost in (math.inf, 0.0):  # the next epoch's, whose step is undone or stands
        with np.errstate(all="ignore"):
            OPTIMIZER.tell(progress.state, cost, tree.map_arrays(np.zeros_like, MODEL.init(0)))
    return ACCEPTED


def read_plainly(content: bytes, name: str) -> tuple[dict[str, np.ndarray], dict]:
    """The arrays as NumPy's own reader gives them, and the JSON in the one of that name."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return arrays, json.loads(str(arrays.pop(name)))


def is_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are of one type and shape and hold the same bits."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def is_contained(expected_json, found) -> bool:
    """Whether what was read is what the JSON says, which may leave defaults out or say a thing by its word."""
    if isinstance(expected_json, dict) and isinstance(found, dict):
        return all(
            name in found and is_contained(value, found[name]) for name, value in expected_json.items()
        )
    if isinstance(expected_json, list) and isinstance(found, (list, tuple)):
        return len(expected_json) == len(found) and all(map(is_contained, expected_json, found))
    return expected_json == found or (isinstance(expected_json, str) and isinstance(found, dict))


def nests_are_same(expected_json, found, arrays: dict[str, np.ndarray], shapes_alone: bool = False) -> bool:
    """Whether a nest is what a checkpoint's JSON and arrays say; with `shapes_alone` both are nests."""
    if isinstance(found, np.ndarray):
        if shapes_alone:
            return expected_json.shape == found.shape and expected_json.dtype == found.dtype
        return is_same(arrays[str(expected_json["array"])], found)
    if isinstance(found, dict):
        return expected_json.keys() == found.keys() and all(
            nests_are_same(expected_json[key], found[key], arrays, shapes_alone) for key in found
        )
    if isinstance(found, (list, tuple)):
        return len(expected_json) == len(found) and all(
            nests_are_same(one, other, arrays, shapes_alone)
            for one, other in zip(expected_json, found, strict=True)
        )
    if isinstance(expected_json, dict):
        return repr(found) == expected_json["number"]
    return type(expected_json) is type(found) and expected_json == found


def manifest(random: Random) -> str:
    """A checkpoint's manifest, changed as text or as JSON; beside it the checkpoint before, which is whole."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Checkpoints(LocalFolder(folder), 5)
        checkpoints.write(POINT._replace(progress=POINT.progress._replace(history=HISTORY[:1])))
        checkpoints.write(POINT)
        (file,) = (Path(folder) / "checkpoints").glob("epoch-000002-*.json")
        content = file.read_bytes()
        expected_json = json.loads(content)
        if random.random() < 0.5:
            file.write_bytes(bent(random, content))
        else:
            file.write_text(json.dumps(changed_json(random, expected_json)))
        looked = Checkpoints(LocalFolder(folder), 5)
        found = looked.newest()
        for refused in looked.refused:
            one_line(refused.why)
        with suppress(ValueError):
            now = json.loads(file.read_bytes())
            same = isinstance(now, dict) and all(
                now.get(key) == expected_json[key] for key in ("format", "epoch", "bytes", "sha256")
            )
            assert found.epoch == (2 if same else 1), file.read_bytes()
        assert found.epoch == 2 - len(looked.refused)
        return REFUSED if looked.refused else ACCEPTED


# ---- words ----

WORDS = [
    "0",
    "1",
    "-1",
    "0.5",
    "1e-3",
    "nan",
    "inf",
    "none",
    "-",
    "",
    "x",
    "adam",
    "momentum:0.8",
    "adam:beta1=0.5",
]
WORDS += [
    "dense:64,relu",
    "dense:64,dropout:0.2,tanh",
    "conv2d:8x3,relu,flatten",
    "cosine",
    "step:3",
    "bold-driver:1.1",
]
WORDS += [
    "cross-entropy",
    "mse",
    "balanced",
    "0:1,1:2",
    "28x28x1",
    "4,4",
    "shift:1,flip",
    "he",
    "parameters",
    "l-bfgs:3",
]
WORDS += [
    "dense:" + "9" * 30,
    "a" * 300,
    "dense:64," * 70 + "relu",
    "{}",
    "[1]",
    "--",
    "dense:3:3:3",
    "é",
    "\x00",
    "..;rm -rf /",
]
PLACES = ["a.csv", "b.csv", "c.csv", "d.csv", "out"]


def command_line(random: Random) -> str:
    """A command line of options and words that may not belong together."""
    fields = {**options_of(Options), **options_of(Recipe)}
    names = [name for name in fields if name not in PATHS]
    words = list(PLACES) if random.random() < 0.9 else random.sample([*PLACES, *WORDS], random.randint(0, 6))
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        name = random.choice(names)
        words.append("--" + name.replace("_", "-") if random.random() < 0.95 else "--" + random.choice(WORDS))
        if random.random() < 0.1:
            words[-1] += "=" + random.choice(["--", "", "-", "-1", *WORDS])
        elif type(fields[name].metadata["reader"]).__name__ != "Flag" or random.random() < 0.05:
            words.append(random.choice(WORDS))
    try:
        parsed = parser.parse(words)
    except UserError as error:
        one_line(str(error))
        return REFUSED
    for name, word in pairwise(words):
        option = name.removeprefix("--").replace("-", "_")
        if name.startswith("--") and option in fields and words.count(name) == 1 and "--" not in words:
            number_is_kept(
                word, fields[option], getattr(parsed, option, getattr(parsed.recipe, option, None))
            )
    again = {name: value for name, value in parsed.as_json().items() if name not in ("about", "get_data")}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(again, file)
        file.flush()
        assert parser.parse(["--config", file.name]) == parsed, words
    return ACCEPTED


RECIPES = [
    {"layers": "dense:8,relu", "optimizer": "adam", "epochs": 3},
    {
        "hidden": [8, 4],
        "activation": "tanh",
        "loss": {"name": "cross-entropy", "smoothing": 0.1},
        "batch_size": 10,
    },
    {"input_shape": [6, 6, 1], "layers": ["conv2d:2x3", "relu", {"name": "flatten"}], "augment": "shift:1"},
    {"average": "parameters", "rounds_per_epoch": 2, "outer_momentum": 0.5, "optimizer": "momentum:0.8"},
    {"optimizer": "adam", "batch_size": 9, "average_weights": "last:2"},
    {"average": "parameters", "epochs_per_round": 3, "schedule": "cosine", "epochs": 7},
    {
        "optimizer": {"name": "l-bfgs", "memory": 3},
        "l2": 0.1,
        "class_weights": "balanced",
        "validation_fraction": 0.2,
    },
]


def recipe_file(random: Random) -> str:
    """A configuration file, changed as text or as JSON."""
    value = dict(zip(PATHS, PLACES, strict=True)) | random.choice(RECIPES)
    if random.random() < 0.3:
        content = bent(random, json.dumps(value).encode())
    else:
        for _ in range(random.choice([0, 1, 1, 2])):
            value = changed_json(random, value)
        content = json.dumps(value).encode()
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(content)
        file.flush()
        try:
            parsed = parser.parse(["--config", file.name])
        except UserError as error:
            one_line(str(error))
            return REFUSED
    assert resolved(resolved(parsed.recipe)) == resolved(parsed.recipe)
    fields = {**options_of(Options), **options_of(Recipe)}
    for key, json_value in json.loads(content).items():
        name = key.replace("-", "_")
        if name in fields and json_value is not None:
            number_is_kept(
                json_value, fields[name], getattr(parsed, name, getattr(parsed.recipe, name, None))
            )
    return ACCEPTED


def number_is_kept(json_value, field, found) -> None:
    """Raise AssertionError where an option that is a number, a choice or a switch was taken for another."""
    kind = type(field.metadata["reader"]).__name__
    if kind == "Number" and json_value != "none":
        assert found == float(json_value) and not isinstance(json_value, bool), (
            field.name,
            json_value,
            found,
        )
    as_text = kind == "Flag" and isinstance(json_value, str)
    if kind in ("Choice", "Flag") and json_value != "none" and not as_text:
        assert found == json_value, (field.name, json_value, found)


# ---- all of them ----

KINDS: dict[str, Callable[[Random], str]] = {
    "rows of images": image_lines,
    "tables": table,
    "labels": labels,
    "IDX files": images_idx,
    "model.npz": model_npz,
    "checkpoints": checkpoint_file,
    "checkpoint manifests": manifest,
    "configuration files": recipe_file,
    "command lines": command_line,
    "command lines of the other programs": program_words,
    "files to plot": plot_file,
    "folders for OUTPUT": output_folder,
    "quoted text": quoted_file,
    "tables in Python": python_table,
    "models of tables": encoder_file,
    "predictions from tables": prediction,
}


class Hang(BaseException):
    """What is no error of the program under test, so that none of its handlers takes it for one."""


@contextmanager
def patience(seconds: float):
    """Raise Hang in what takes longer, or after it."""

    def too_long(*_):
        raise Hang(f"longer than {seconds} s")

    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if time.monotonic() - began > seconds:
        raise Hang(f"longer than {seconds} s, and nothing could stop it")


def offer(kind: str, seed: int) -> str:
    """What becomes of one input; raises where the program was wrong."""
    with patience(PATIENCE):
        return KINDS[kind](Random(f"{kind} {seed}"))


def main(total: int) -> int:
    """Offer that many, and print the table."""
    each, failures = -(-total // len(KINDS)), 0
    print(f"{'kind':<38}{'offered':>9}{'accepted':>10}{'refused':>9}{'wrong':>7}")
    for kind in KINDS:
        seen = Counter()
        for seed in range(each):
            try:
                seen[offer(kind, seed)] += 1
            except (Exception, SystemExit, Hang) as error:
                seen["wrong"] += 1
                if seen["wrong"] <= 3:
                    where = traceback.extract_tb(error.__traceback__)[-1]
                    print(
                        f"{kind} {seed}: {type(error).__name__}: {error} ({where.filename}:{where.lineno})",
                        file=sys.stderr,
                    )
        failures += seen["wrong"]
        counts = seen[ACCEPTED], seen[REFUSED], seen["wrong"]
        print(f"{kind:<38}{each:>9,}{counts[0]:>10,}{counts[1]:>9,}{counts[2]:>7,}", flush=True)
    return min(failures, 1)


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit("usage: python -m tests.robustness.fuzzing HOW_MANY")
    sys.exit(main(int(sys.argv[1])))

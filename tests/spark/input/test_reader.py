"""Reading text into blocks: every spelling of the same rows gives the same rows, and bad text gives one line."""

import bz2
import gzip
from contextlib import nullcontext

import numpy as np
import pytest

from nn.core.errors import DataError
from nn.data import batches
from nn.data.hold_out import HoldOut
from nn.data.split import Split
from nn.spark.input import reader, text_source
from nn.spark.input.input_files import Source
from nn.spark.storage.filesystem import Storage
from tests.support.data import blobs, write_csv
from tests.support.training import split_rows

pytestmark = pytest.mark.spark

INPUTS, LABELS = blobs(50, width=5)


@pytest.fixture
def folder(tmp_path):
    write_csv(tmp_path / "x.csv", INPUTS)
    write_csv(tmp_path / "y.csv", LABELS)
    return tmp_path


def read(spark, images, labels, partitions=2, column=None, weights=None):
    source = Source("TRAIN", str(images), labels and str(labels), column, weights)
    return reader.read(reader.Files.open(spark, Storage(spark), source, partitions))


def rows_of(dataset):
    blocks = dataset.blocks.collect()
    return tuple(np.concatenate([block[part] for block in blocks]) for part in range(3))


def assert_holds(dataset, inputs=INPUTS, labels=LABELS):
    rows, found, found_labels = rows_of(dataset)
    assert np.array_equal(rows, np.arange(len(inputs)))
    assert np.allclose(found, inputs, rtol=1e-6) and np.array_equal(found_labels, labels)
    assert dataset.rows == len(inputs) and dataset.width == inputs.shape[1]


def test_reading_gives_rows_labels_scale_and_classes(spark, folder):
    dataset = read(spark, folder / "x.csv", folder / "y.csv")
    assert_holds(dataset)
    assert dataset.classes == 3 and dataset.largest == INPUTS.max()
    assert dataset.class_rows.tolist() == np.bincount(LABELS).tolist()
    assert {block.inputs.dtype for block in dataset.blocks.collect()} == {np.dtype(np.uint8)}


def test_the_fingerprint_tells_data_apart_and_knows_them_again_elsewhere(spark, folder):
    def fingerprint(inputs, labels, partitions=2, weights=None):
        write_csv(folder / "x2.csv", inputs)
        write_csv(folder / "y2.csv", labels)
        return read(spark, folder / "x2.csv", folder / "y2.csv", partitions, weights=weights).fingerprint

    own = read(spark, folder / "x.csv", folder / "y.csv").fingerprint
    pixel, swapped, label = INPUTS.copy(), INPUTS.copy(), LABELS.copy()
    pixel[31, 2] ^= 1
    swapped[[40, 41]] = swapped[[41, 40]]
    label[7] = (label[7] + 1) % 3
    assert fingerprint(INPUTS, LABELS) == own
    others = [
        fingerprint(pixel, LABELS),
        fingerprint(swapped, LABELS),
        fingerprint(INPUTS, label),
        fingerprint(INPUTS[:-1], LABELS[:-1]),
        fingerprint(INPUTS, LABELS, partitions=3),  # other sums, other last bits
        fingerprint(INPUTS, LABELS, weights=0),
        fingerprint(pixel, LABELS, weights=0),
    ]
    assert len({own, *others}) == 8
    weight = INPUTS.copy()
    weight[3, 0] ^= 1
    assert fingerprint(weight, LABELS, weights=0) not in {own, *others}


@pytest.mark.parametrize("partitions", [1, 2, 3, 7])
def test_reading_cuts_one_file_into_the_wanted_pieces(spark, folder, partitions):
    dataset = read(spark, folder / "x.csv", folder / "y.csv", partitions)
    assert dataset.partitions == partitions
    assert_holds(dataset)


def test_reading_more_pieces_than_rows(spark, folder):
    write_csv(folder / "x.csv", INPUTS[:3])
    write_csv(folder / "y.csv", LABELS[:3] - 1)
    assert_holds(read(spark, folder / "x.csv", folder / "y.csv", 9), INPUTS[:3], LABELS[:3] - 1)


@pytest.mark.parametrize("separator", [",", " ", "\t", ";", ", ", "   "])
def test_reading_finds_the_separator(spark, folder, separator):
    write_csv(folder / "x.csv", INPUTS, separator)
    assert_holds(read(spark, folder / "x.csv", folder / "y.csv"))


def test_reading_floats_keeps_float32(spark, folder):
    np.savetxt(folder / "x.csv", INPUTS / 255)
    np.savetxt(folder / "y.csv", np.eye(3)[LABELS])
    dataset = read(spark, folder / "x.csv", folder / "y.csv")
    assert_holds(dataset, INPUTS / np.float32(255))
    assert dataset.largest == np.float32(INPUTS.max() / 255)
    assert {block.inputs.dtype for block in dataset.blocks.collect()} == {np.dtype(np.float32)}


def test_reading_scales_by_the_largest_absolute_value(spark, folder):
    write_csv(folder / "x.csv", INPUTS.astype(int) - 300)
    assert read(spark, folder / "x.csv", folder / "y.csv").largest == 300 - int(INPUTS.min())


def test_reading_skips_headers_carriage_returns_and_last_blank_lines(spark, folder):
    for name, header in (("x.csv", "a,b,c,d,e"), ("y.csv", "label")):
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_bytes(("\ufeff" + "\r\n".join([header, *lines, "", ""])).encode())
    assert_holds(read(spark, folder / "x.csv", folder / "y.csv", 3))


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_reading_a_compressed_file_is_one_piece_and_says_so(spark, folder, ending, pack):
    (folder / f"x.csv{ending}").write_bytes(pack((folder / "x.csv").read_bytes()))
    dataset = read(spark, folder / f"x.csv{ending}", folder / "y.csv", 2)
    assert_holds(dataset)
    assert dataset.partitions == 1
    assert "is compressed and is one input split, which one core reads; 2 part files" in dataset.notes[0]


def write_parts(folder, count, header=False):
    """Part files made in another order than that of their names, beside files that are no data."""
    (folder / "parts").mkdir()
    bounds = np.linspace(0, len(INPUTS), count + 1).astype(int)
    for number in sorted(range(count), key=lambda n: -n % 3):
        path = folder / "parts" / f"part-{number:05}"
        write_csv(path, INPUTS[bounds[number] : bounds[number + 1]])
        if header:
            path.write_text("a,b,c,d,e\n" + path.read_text())
    (folder / "parts" / "_SUCCESS").write_text("")
    (folder / "parts" / ".part-00000.crc").write_text("junk")


@pytest.mark.parametrize("count", [2, 5, 13])
@pytest.mark.parametrize("header", [False, True], ids=["plain", "headers"])
@pytest.mark.parametrize("pattern", ["parts", "parts/part-*"])
def test_reading_part_files_in_sorted_order(spark, folder, count, header, pattern):
    write_parts(folder, count, header)
    dataset = read(spark, folder / pattern, folder / "y.csv", 4)
    assert_holds(dataset)
    assert dataset.partitions == 4


def test_reading_keeps_the_order_where_hadoop_lists_with_many_threads(spark, folder):
    write_parts(folder, 13)
    configuration = spark._jsc.hadoopConfiguration()
    key = "mapreduce.input.fileinputformat.list-status.num-threads"
    configuration.set(key, "16")
    try:
        for _ in range(3):
            assert_holds(read(spark, folder / "parts", folder / "y.csv", 3))
        assert configuration.get(key) == "16"
    finally:
        configuration.unset(key)


def test_reading_notes_classes_without_rows(spark, folder):
    write_csv(folder / "y.csv", LABELS * 4)
    dataset = read(spark, folder / "x.csv", folder / "y.csv")
    where = f"TRAIN_LABELS: {folder / 'y.csv'}"
    assert dataset.notes == (f"{where}: 6 of the classes 0..8 have no rows: 1, 2, 3, 5, 6, ...",)


@pytest.mark.parametrize("labels", [LABELS + 1, LABELS * 2 - 1, LABELS + 7001, -LABELS])
@pytest.mark.parametrize("column", [None, 2])
def test_labels_that_are_no_class_numbers_are_the_labels_of_classes(spark, folder, labels, column):
    if column is not None:
        write_csv(folder / "x.csv", np.insert(INPUTS.astype(int), column, labels, axis=1))
    write_csv(folder / "y.csv", labels)
    source = Source("TRAIN", str(folder / "x.csv"), None if column else str(folder / "y.csv"), column)
    train, test = reader.read_both(spark, Storage(spark), source, source._replace(name="TEST"), 2)
    distinct = sorted(set(labels.tolist()))
    for dataset in (train, test):
        if set(distinct) == {0, -1, -2}:
            assert dataset.decoder.labels == (-2, -1, 0)
        assert dataset.decoder.labels == tuple(distinct) and dataset.notes == ()
        assert_holds(dataset, labels=np.searchsorted(distinct, labels))
        assert np.array_equal(dataset.labels, np.searchsorted(distinct, labels))
        assert {block.labels.dtype for block in dataset.blocks.collect()} == {np.dtype(np.int16)}


@pytest.mark.parametrize("column", [None, 0])
def test_a_label_that_is_too_large_beside_class_numbers_is_refused_with_its_line(spark, folder, column):
    labels = np.where(np.arange(50) == 29, 7001, LABELS)
    write_csv(folder / "x.csv", np.insert(INPUTS.astype(int), 0, labels, axis=1))
    write_csv(folder / "y.csv", labels)
    with pytest.raises(DataError, match=r"csv, line 30: expected a class number in 0..999, found 7001"):
        read(spark, folder / "x.csv", None if column == 0 else folder / "y.csv", column=column)


def test_a_label_that_training_has_not_is_refused_with_its_line(spark, folder):
    labels = np.where(np.arange(50) == 29, 4, LABELS + 1)
    with pytest.raises(
        DataError, match=r"ty.csv, line 30: expected one of the labels .*\(1, 2, 3\), found 4"
    ):
        both(spark, folder, INPUTS, labels, LABELS + 1)


def test_a_test_set_notes_the_classes_that_only_training_has(spark, folder):
    _, test = both(spark, folder, INPUTS, np.maximum(LABELS, 1))
    assert test.notes == (f"TEST_LABELS: {folder / 'ty.csv'}: 1 of the classes 0..2 have no rows: 0",)


def test_reading_groups_neighbouring_pieces_the_same_way_each_time(spark, folder):
    write_parts(folder, 13)
    groups = []
    for _ in range(2):
        dataset = read(spark, folder / "parts", folder / "y.csv", 3)
        groups.append([[block.rows.tolist() for block in part] for part in dataset.blocks.glom().collect()])
    assert groups[0] == groups[1] and len(groups[0]) == 3
    flat = [row for part in groups[0] for block in part for row in block]
    assert flat == list(range(50))


@pytest.mark.parametrize("column", [0, 2, 5, -1, -6])
def test_reading_labels_from_a_column(spark, folder, column):
    index = column % 6
    write_csv(folder / "x.csv", np.insert(INPUTS, index, LABELS, axis=1))
    assert_holds(read(spark, folder / "x.csv", None, column=column))


def classes_by_partition(dataset):
    """(replica, rows of each class) of those that hold rows, counted in the blocks themselves."""
    parts = dataset.blocks.map(lambda block: block.labels).glom().collect()
    labels = [np.concatenate([np.empty(0, int), *part]) for part in parts]
    counts = [np.bincount(own, minlength=dataset.classes).tolist() for own in labels]
    return [(replica, count) for replica, count in enumerate(counts) if sum(count)]


def counted(dataset):
    """The same as reading counted it."""
    windows = dataset.shuffle_windows
    assert windows.n_replicas == dataset.partitions and windows.are_replicas
    return sorted(zip(windows.replicas.tolist(), windows.counts.tolist(), strict=True))


@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_reading_counts_the_classes_of_each_partition(spark, folder, partitions):
    dataset = read(spark, folder / "x.csv", folder / "y.csv", partitions)
    assert counted(dataset) == classes_by_partition(dataset)
    assert len(counted(dataset)) == dataset.partitions == partitions
    assert np.array_equal(dataset.shuffle_windows.counts.sum(axis=0), dataset.class_rows)


def test_reading_counts_the_classes_of_what_a_replica_shuffles_together(spark, folder, monkeypatch):
    monkeypatch.setattr(batches, "BUFFER", 10 * INPUTS.shape[1])  # bytes of ten rows
    dataset = read(spark, folder / "x.csv", folder / "y.csv", 2)
    assert dataset.shuffle_windows.window_rows == 10
    assert dataset.shuffle_windows.counts.sum(axis=1).max() == 10
    assert dataset.shuffle_windows.counts.sum() == len(INPUTS)


def test_reading_counts_the_classes_where_pieces_share_partitions(spark, folder):
    write_parts(folder, 13)
    dataset = read(spark, folder / "parts", folder / "y.csv", 4)
    assert counted(dataset) == classes_by_partition(dataset)
    assert len(counted(dataset)) == 4 and dataset.shuffle_windows.counts.sum() == 50


def test_reading_counts_nothing_in_an_empty_partition(spark, folder):
    write_csv(folder / "x.csv", INPUTS[:3])
    write_csv(folder / "y.csv", LABELS[:3])
    dataset = read(spark, folder / "x.csv", folder / "y.csv", 9)
    assert counted(dataset) == classes_by_partition(dataset)
    assert len(counted(dataset)) <= 3 < dataset.shuffle_windows.n_replicas


def test_reading_counts_the_classes_of_labels_in_a_column(spark, folder):
    write_csv(folder / "x.csv", np.insert(INPUTS, 2, LABELS, axis=1))
    dataset = read(spark, folder / "x.csv", None, 3, column=2)
    assert counted(dataset) == classes_by_partition(dataset)
    assert len(counted(dataset)) == 3


def test_reading_takes_one_job_over_the_images(spark, folder):
    def jobs():
        core = spark._jsc.sc()
        core.listenerBus().waitUntilEmpty()
        listed = core.statusStore().jobsList(None)
        known = map(listed.apply, range(listed.size()))
        described = {job.jobId(): job.description() for job in known}
        return {
            number
            for number, text in described.items()
            if text.isDefined() and text.get() == "reading TRAIN_IMAGES"
        }

    spark.setJobDescription("looking at first lines")
    before = jobs()
    read(spark, folder / "x.csv", folder / "y.csv", 3)
    assert len(jobs() - before) == 1


def shuffled_bytes(spark):
    """What Spark itself says has been written to and read from shuffles so far."""
    core = spark._jsc.sc()
    core.listenerBus().waitUntilEmpty()
    executors = core.statusStore().executorList(False)
    summaries = [executors.apply(number) for number in range(executors.size())]
    return sum(summary.totalShuffleWrite() + summary.totalShuffleRead() for summary in summaries)


def test_reading_moves_no_image(spark, folder):
    write_parts(folder, 5)
    before = shuffled_bytes(spark)
    dataset = read(spark, folder / "parts", folder / "y.csv", 2)
    assert_holds(dataset)
    assert shuffled_bytes(spark) == before
    dataset.blocks.map(lambda block: (len(block.rows), block.inputs)).groupByKey().count()
    assert shuffled_bytes(spark) > before  # what is measured is there to be measured


def test_reading_parses_the_text_once(spark, folder):
    dataset = read(spark, folder / "x.csv", folder / "y.csv")
    (folder / "x.csv").unlink()  # the cached blocks are all that later passes need
    assert_holds(dataset)


@pytest.mark.parametrize("name", ["a b.csv", "x[1].csv", "{x}.csv", "x*.csv", "p%20q.csv", "ü.csv"])
def test_reading_takes_a_name_as_it_is(spark, folder, name):
    (folder / "x.csv").rename(folder / name)
    write_csv(folder / "x1.csv", INPUTS[:7])  # what the name would match if it were a pattern
    assert_holds(read(spark, folder / name, folder / "y.csv", 3))


def broken(folder, name, line, text):
    lines = (folder / name).read_text().splitlines()
    lines[line - 1] = text
    (folder / name).write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("line", "text", "error_text"),
    [
        (40, "1,2,3,4", "expected 5 values separated by commas, found 4 values"),
        (1, "1,2,3,x,5", "expected a number as value 4 of 5, found 'x'"),
        (50, "1,2,3,nan,5", "expected a finite number as value 4 of 5, found 'nan'"),
        (33, "", "expected 5 values separated by commas, found an empty line"),
    ],
)
def test_reading_tells_file_and_line_of_a_bad_row(spark, folder, line, text, error_text):
    broken(folder, "x.csv", line, text)
    with pytest.raises(DataError) as caught:
        read(spark, folder / "x.csv", folder / "y.csv", 4)
    assert str(caught.value).startswith("TRAIN_IMAGES: file:") and "\n" not in str(caught.value)
    assert f"x.csv, line {line}: {error_text}" in str(caught.value)


@pytest.mark.parametrize("blank", range(1, 50, 6))
def test_reading_finds_an_empty_line_wherever_the_pieces_meet(spark, folder, blank):
    broken(folder, "x.csv", blank, "")
    with pytest.raises(DataError, match=rf"line {blank}: expected .*, found an empty line"):
        read(spark, folder / "x.csv", folder / "y.csv", 7)


def test_reading_tells_the_first_of_several_bad_lines_with_its_header_counted(spark, folder):
    text = (folder / "x.csv").read_text()
    (folder / "x.csv").write_text("a,b,c,d,e\n" + text)
    broken(folder, "x.csv", 45, "oops")
    broken(folder, "x.csv", 31, "1,2")
    with pytest.raises(DataError, match="line 31: "):
        read(spark, folder / "x.csv", folder / "y.csv", 5)


def test_reading_tells_the_part_file_and_its_own_line(spark, folder):
    write_parts(folder, 5, header=True)
    broken(folder, "parts/part-00003", 4, "1,2,3,4,5,6")
    with pytest.raises(DataError, match=r"part-00003, line 4: expected 5 values .*, found 6 values"):
        read(spark, folder / "parts", folder / "y.csv", 2)


@pytest.mark.parametrize(
    ("text", "error_text"),
    [
        ("1000", "expected a class number in 0..999, found 1000"),
        (
            "0.5",
            "expected a whole number or a name as the label, found 0.5; measured values are learned with --task",
        ),
        ("0 1", "expected 1 value, found 2 values"),
        ("zero", "expected a number as value 1 of 1, found 'zero'"),
    ],
)
def test_reading_tells_file_and_line_of_a_bad_label(spark, folder, text, error_text):
    broken(folder, "y.csv", 30, text)
    with pytest.raises(DataError) as caught:
        read(spark, folder / "x.csv", folder / "y.csv", 2)
    assert str(caught.value).startswith("TRAIN_LABELS: ") and f"y.csv, line 30: {error_text}" in str(
        caught.value
    )


def test_reading_tells_a_row_that_is_not_one_hot(spark, folder):
    write_csv(folder / "y.csv", np.eye(3, dtype=int)[LABELS])
    broken(folder, "y.csv", 9, "1,0,1")
    with pytest.raises(
        DataError, match="line 9: expected a one-hot row: a single 1 among 3 values, .* 2 ones"
    ):
        read(spark, folder / "x.csv", folder / "y.csv")


def test_reading_tells_a_bad_label_in_a_column_before_a_later_bad_row(spark, folder):
    write_csv(folder / "x.csv", np.insert(INPUTS, 0, LABELS, axis=1))
    broken(folder, "x.csv", 12, "7.5,1,2,3,4,5")
    broken(folder, "x.csv", 14, "1,1,2,3,4,oops")
    with pytest.raises(
        DataError, match=r"line 12: expected a whole number or a name as the label, found 7.5"
    ):
        read(spark, folder / "x.csv", None, column=0)


def test_reading_tells_both_numbers_when_labels_are_missing(spark, folder):
    write_csv(folder / "y.csv", LABELS[:-1])
    with pytest.raises(DataError, match=r"expected 50 labels, one for each image in .*, found 49 in"):
        read(spark, folder / "x.csv", folder / "y.csv")


def test_reading_tells_images_and_labels_that_are_swapped(spark, folder):
    with pytest.raises(
        DataError, match="TRAIN_IMAGES and TRAIN_LABELS look swapped: the rows of .*y.csv read as"
    ):
        read(spark, folder / "y.csv", folder / "x.csv")
    write_csv(folder / "y.csv", np.eye(3, dtype=int)[LABELS])
    with pytest.raises(DataError, match="look swapped"):
        read(spark, folder / "y.csv", folder / "x.csv")


@pytest.mark.parametrize("column", [6, -7, 100])
def test_reading_tells_a_column_that_is_not_there(spark, folder, column):
    with pytest.raises(DataError, match=r"--label-column: expected a column in -5..4 .*, found"):
        read(spark, folder / "x.csv", None, column=column)


@pytest.mark.parametrize(
    ("make", "error_text"),
    [
        (lambda path: None, "TRAIN_IMAGES: no such file or folder: "),
        (lambda path: path.write_text(""), "TRAIN_IMAGES: expected rows of numbers, found nothing in "),
        (lambda path: path.write_text("\n\n\n"), "TRAIN_IMAGES: expected rows of numbers, found nothing in "),
        (lambda path: path.write_text("a,b\n"), "TRAIN_IMAGES: expected rows of numbers, found none in "),
        (lambda path: path.mkdir(), "TRAIN_IMAGES: no files in "),
        (lambda path: path.write_text("\n1,2,3,4,5\n"), "TRAIN_IMAGES: file:"),
        (lambda path: path.write_bytes(gzip.compress(b"1,2\n")), "TRAIN_IMAGES: file:"),
        (lambda path: path.write_text("1,2\n", encoding="utf-16"), "TRAIN_IMAGES: file:"),
    ],
    ids=["missing", "empty", "blank", "header", "folder", "first line", "gzip", "utf-16"],
)
def test_reading_tells_what_is_no_text(spark, tmp_path, folder, make, error_text):
    path = tmp_path / "other"
    make(path)
    with pytest.raises(DataError) as caught:
        read(spark, path, folder / "y.csv")
    assert str(caught.value).startswith(error_text) and "\n" not in str(caught.value)


@pytest.mark.parametrize(("ending", "pack"), [("", bytes), (".gz", gzip.compress)])
def test_reading_holds_no_first_line_without_end(spark, folder, ending, pack, monkeypatch):
    monkeypatch.setattr(text_source, "_FIRST_READ", 4)
    monkeypatch.setattr(text_source, "BYTES_PER_CALL", 8)
    monkeypatch.setattr(text_source, "LONGEST", 15)
    path = folder / f"long.csv{ending}"
    for row, is_refused in ((b"10,20,30,40,50", False), (b"10,20,30,40,50" + 30 * b"0", True)):
        path.write_bytes(pack((row + b"\n") * 50))
        if not is_refused:
            assert read(spark, path, folder / "y.csv").width == 5
            continue
        error_text = f"{path.name}, line 1: expected a row of at most 15 bytes, found a longer one"
        with pytest.raises(DataError, match=error_text):
            read(spark, path, folder / "y.csv")


@pytest.mark.parametrize("partitions", [1, 4])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["x.csv", "y.csv"])
def test_reading_holds_no_later_line_without_end(spark, folder, name, ending, partitions, monkeypatch):
    longest = max(map(len, (folder / "x.csv").read_text().splitlines()))
    monkeypatch.setattr(text_source, "LONGEST", longest)
    lines = (folder / name).read_text().splitlines()
    for where in (1, 20, 50):
        for filler in "0", "\0", "1,":
            hostile = [*lines[:where], 333 * filler, *lines[where:]]
            (folder / name).write_bytes(ending.join(hostile).encode())
            error_text = f": expected rows of at most {longest} bytes, found a longer line"
            if partitions > 1:  # a split may begin within the line, whose rest it reads as a line
                error_text = f"({error_text}|, line {where + 1}: expected )"
            with pytest.raises(DataError, match=name + error_text):
                read(spark, folder / "x.csv", folder / "y.csv", partitions)
    (folder / name).write_text(ending.join(["\ufeff" + lines[0], *lines[1:], "", ""]))
    assert_holds(read(spark, folder / "x.csv", folder / "y.csv", partitions))


def test_reading_tells_a_damaged_archive(spark, folder):
    (folder / "x.csv.gz").write_bytes(gzip.compress((folder / "x.csv").read_bytes())[:-30])
    with pytest.raises(DataError, match="TRAIN_IMAGES: cannot read .*x.csv.gz"):
        read(spark, folder / "x.csv.gz", folder / "y.csv")


def both(spark, folder, test_inputs, test_labels, train_labels=LABELS):
    write_csv(folder / "y.csv", train_labels)
    write_csv(folder / "tx.csv", test_inputs)
    write_csv(folder / "ty.csv", test_labels)
    train = Source("TRAIN", str(folder / "x.csv"), str(folder / "y.csv"))
    test = Source("TEST", str(folder / "tx.csv"), str(folder / "ty.csv"))
    return reader.read_both(spark, Storage(spark), train, test, 2)


def test_read_both_tells_a_short_first_row_where_it_stands(spark, folder):
    broken(folder, "x.csv", 1, "1,2,3,4")
    with pytest.raises(
        DataError,
        match=r"TRAIN_IMAGES: .*x.csv, line 1: expected 5 values .*, found 4 values; --skip-lines 1",
    ):
        both(spark, folder, INPUTS, LABELS)


def test_read_both_tells_a_test_set_of_another_width(spark, folder):
    with pytest.raises(
        DataError, match="TEST_IMAGES: expected 5 input columns as in TRAIN_IMAGES, found 4 in"
    ):
        both(spark, folder, INPUTS[:, :4], LABELS)


def test_read_both_tells_the_line_of_a_class_that_training_has_not(spark, folder):
    first = int(np.argmax(LABELS == 2)) + 1
    with pytest.raises(DataError, match=rf"TEST_LABELS: .*ty.csv, line {first}: .* in 0..2, found 3"):
        both(spark, folder, INPUTS, LABELS + 1)


def test_read_both_tells_a_training_set_of_one_class(spark, folder):
    for label in (0, 1):
        with pytest.raises(
            DataError, match=f"TRAIN_LABELS: expected at least 2 classes, found class {label} alone"
        ):
            both(spark, folder, INPUTS, LABELS * 0, train_labels=LABELS * 0 + label)


@pytest.mark.parametrize(("label", "kept"), [("abc", 1), ("2\n2", 0)])
def test_rows_are_not_kept_twice_where_labels_need_another_reader_nor_where_they_are_wrong(
    spark, folder, label, kept
):
    broken(folder, "y.csv", 40, label)
    source, before = Source("TRAIN", str(folder / "x.csv"), str(folder / "y.csv")), persisted(spark)
    with nullcontext() if kept else pytest.raises(DataError, match="expected 50 labels"):
        train_set, _ = reader.read_both(spark, Storage(spark), source, None, 2)
    assert len(persisted(spark) - before) == kept
    if kept:
        train_set.cached.unpersist()


def persisted(context):
    """The ids of the RDDs that are cached."""
    return set(context._jsc.getPersistentRDDs())


def test_read_both_tells_that_a_column_of_the_test_set_was_taken_for_labels(spark, folder):
    write_csv(folder / "x.csv", np.insert(INPUTS, 0, LABELS, axis=1))
    write_csv(folder / "tx.csv", INPUTS)
    train, test = (
        Source(name, str(folder / path), None, 0) for name, path in (("TRAIN", "x.csv"), ("TEST", "tx.csv"))
    )
    with pytest.raises(
        DataError, match="found 4 in .*tx.csv: it has 5 columns, of which column 0 was taken for the"
    ):
        reader.read_both(spark, Storage(spark), train, test, 2)


# ---- row weights ----

WEIGHTS = np.arange(50) / 4


@pytest.mark.parametrize("column", [2, -1, 0])
def test_reading_takes_weights_out_of_the_inputs(spark, folder, column):
    index = column % 6
    np.savetxt(
        folder / "w.csv", np.insert(INPUTS.astype(float), index, WEIGHTS, axis=1), fmt="%g", delimiter=","
    )
    dataset = read(spark, folder / "w.csv", folder / "y.csv", weights=column)
    assert_holds(dataset)
    assert np.array_equal(np.concatenate([b.weights for b in dataset.blocks.collect()]), WEIGHTS)
    assert {block.inputs.dtype for block in dataset.blocks.collect()} == {np.dtype(np.uint8)}


def test_reading_takes_labels_and_weights_from_the_same_lines(spark, folder):
    np.savetxt(folder / "w.csv", np.column_stack([LABELS, INPUTS, WEIGHTS]), fmt="%g", delimiter=",")
    dataset = read(spark, folder / "w.csv", None, column=0, weights=-1)
    assert_holds(dataset)
    assert np.array_equal(np.concatenate([b.weights for b in dataset.blocks.collect()]), WEIGHTS)


@pytest.mark.parametrize(
    ("weights", "column", "message"),
    [
        (6, None, r"--weight-column: expected a column in -6..5 and at least one more, found 6"),
        (5, -1, "--weight-column: expected another column than the label's, found 5"),
        (0, 5, r"w.csv, line 31: expected a row weight from 0 to 1e\+09, found -2"),
        (0, 1, r"w.csv, line 21: expected a whole number or a name as the label, found -7.5"),
    ],
)
def test_reading_refuses_weights_that_are_none(spark, folder, weights, column, message):
    values = np.column_stack([np.ones(50), np.where(LABELS > 9, 0, LABELS), INPUTS[:, :3], LABELS])
    values[30, 0], values[20, 1] = -2, -7.5
    np.savetxt(folder / "w.csv", values, fmt="%g", delimiter=",")
    labels = folder / "y.csv" if column is None else None
    with pytest.raises(DataError, match=message):
        read(spark, folder / "w.csv", labels, column=column, weights=weights)


def test_reading_refuses_a_table_of_labels_and_weights_alone(spark, folder):
    np.savetxt(folder / "w.csv", np.column_stack([LABELS, WEIGHTS]), fmt="%g", delimiter=",")
    with pytest.raises(DataError, match="expected columns for inputs too, found 2"):
        read(spark, folder / "w.csv", None, column=0, weights=1)


def weighed(spark, folder, column, weights, test_rows):
    """The training set of x.csv and a test set, with labels in a column where one is given, and weights in another."""
    np.savetxt(folder / "test.csv", test_rows, fmt="%g", delimiter=",")
    labels = str(folder / "y.csv") if column is None else None
    sources = [Source(name, str(folder / file), labels, column, weights) for name, file in
               (("TRAIN", "train.csv"), ("TEST", "test.csv"))]  # fmt: skip
    return reader.read_both(spark, Storage(spark), *sources, 2)


@pytest.mark.parametrize(("column", "weights"), [(None, 2), (0, 2), (3, 1), (-1, 0), (1, -1)])
def test_a_test_set_may_have_weights_which_are_not_read_or_leave_them_out(spark, folder, column, weights):
    width = 6 + (column is not None)
    table = np.full((50, width), np.nan)
    columns = {"weight": weights % width} | ({"label": column % width} if column is not None else {})
    table[:, columns["weight"]] = WEIGHTS
    if column is not None:
        table[:, columns["label"]] = LABELS
    rest = [index for index in range(width) if index not in columns.values()]
    table[:, rest] = INPUTS
    np.savetxt(folder / "train.csv", table, fmt="%g", delimiter=",")
    hostile = table.copy()
    hostile[:, columns["weight"]] = -9
    for test_rows in (hostile, np.delete(table, columns["weight"], axis=1)):
        train, test = weighed(spark, folder, column, weights, test_rows)
        assert_holds(train)
        assert_holds(test)
        assert train.weighted and not test.weighted
        assert all(block.weights is None for block in test.blocks.collect())


def test_a_split_takes_the_place_of_the_rows_in_the_cache(spark, folder):
    dataset = read(spark, folder / "x.csv", folder / "y.csv")
    plain = split_rows(dataset, Split(50))
    assert plain is dataset.blocks and dataset.cached.is_cached
    split = Split(50, HoldOut(0, 0.4, 50), np.array([1.0, 2.0, 0.5]))
    divided = split_rows(dataset, split)
    assert divided.is_cached and not dataset.cached.is_cached
    blocks = divided.collect()
    for validation, rows in ((True, split.validation_rows), (False, split.train_rows)):
        numbers = np.concatenate([block.rows for block in blocks if block.validation == validation])
        assert numbers.tolist() == list(range(rows))
    assert all(np.array_equal(b.weights, np.array([1.0, 2.0, 0.5])[b.labels]) for b in blocks)
    divided.unpersist()


def test_rows_that_weigh_nothing_are_refused(spark, folder):
    np.savetxt(folder / "w.csv", np.column_stack([np.zeros(50), INPUTS]), fmt="%g", delimiter=",")
    dataset = read(spark, folder / "w.csv", folder / "y.csv", weights=0)
    for split in (Split(50), Split(50, HoldOut(0, 0.4, 50))):
        with pytest.raises(
            DataError, match="TRAIN_IMAGES: expected training rows with a total weight above 0"
        ):
            split_rows(dataset, split)

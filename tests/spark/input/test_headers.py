"""Headers as people's programs write them, lines to skip, and files that are no rows: the same rows, or one line."""

import gzip

import numpy as np
import pytest

from nn.core.errors import DataError
from nn.spark.input import reader
from nn.spark.input.input_files import Source
from nn.spark.storage.filesystem import Storage
from tests.support.data import blobs, write_csv

pytestmark = pytest.mark.spark

INPUTS, LABELS = blobs(40, width=4)
PANDAS = "0,1,2,3\n"  # what DataFrame(X).to_csv(index=False) writes


def write(path, values, first=""):
    write_csv(path, values)
    path.write_text(first + path.read_text())
    return str(path)


def read(spark, images, labels, partitions=3, header="auto", skip=0, column=None):
    source = Source("TRAIN", images, labels, column, None, header, skip)
    return reader.read(reader.Files.open(spark, Storage(spark), source, partitions))


def assert_holds(dataset):
    blocks = dataset.blocks.collect()
    assert np.array_equal(np.concatenate([block.inputs for block in blocks]), INPUTS)
    assert np.concatenate([block.labels for block in blocks]).tolist() == LABELS.tolist()
    assert dataset.largest == INPUTS.max() and dataset.rows == len(INPUTS)


def test_a_header_of_numbers_is_read_as_one_and_a_short_one_is_noted(spark, tmp_path):
    labels = write(tmp_path / "y.csv", LABELS)
    dataset = read(spark, write(tmp_path / "x.csv", INPUTS, PANDAS), labels)
    assert_holds(dataset)
    path = f"file:{tmp_path}/x.csv"
    note = f"TRAIN_IMAGES: {path}, line 1 (0,1,2,3) is read as a header; --header no reads it as a row"
    assert dataset.notes == (note,)


def test_a_long_header_of_numbers_is_not_noted(spark, tmp_path):
    images = write(tmp_path / "x.csv", np.repeat(INPUTS, 3, axis=1), ",".join(map(str, range(12))) + "\n")
    dataset = read(spark, images, write(tmp_path / "y.csv", LABELS))
    assert dataset.rows == len(INPUTS) and dataset.notes == ()


@pytest.mark.parametrize("first", [PANDAS, "a,b,c,d\n"])
def test_the_header_0_of_a_label_file_is_known_by_its_number_of_rows(spark, tmp_path, first):
    labels = write(tmp_path / "y.csv", LABELS, "0\n")
    dataset = read(spark, write(tmp_path / "x.csv", INPUTS, first), labels)
    assert_holds(dataset)
    assert any(f"TRAIN_LABELS: {labels}: there is one label more" in note for note in dataset.notes)


def test_a_first_label_0_is_a_label_where_there_are_as_many_as_rows(spark, tmp_path):
    order = np.argsort(LABELS, kind="stable")
    labels = write(tmp_path / "y.csv", LABELS[order])
    dataset = read(spark, write(tmp_path / "x.csv", INPUTS[order], PANDAS), labels)
    assert dataset.rows == len(INPUTS) and dataset.labels.tolist() == LABELS[order].tolist()


@pytest.mark.parametrize(
    ("images_first", "labels_first", "longer"),
    [("", "0\n", "y.csv"), ("9,9,9,9\n", "", "x.csv"), ("", "1\n", "y.csv")],
)
def test_one_row_too_many_is_told_as_a_header(spark, tmp_path, images_first, labels_first, longer):
    images = write(tmp_path / "x.csv", INPUTS, images_first)
    labels = write(tmp_path / "y.csv", LABELS, labels_first)
    with pytest.raises(DataError) as caught:
        read(spark, images, labels)
    assert f"is line 1 of {tmp_path / longer} a header that was read as a row?" in str(caught.value)


def test_the_user_says_what_is_a_header(spark, tmp_path):
    labels = write(tmp_path / "y.csv", LABELS, "7\n")
    assert_holds(read(spark, write(tmp_path / "x.csv", INPUTS, "7,7,7,7\n"), labels, header="yes"))
    labels = write(tmp_path / "y.csv", LABELS, "2\n")
    images = write(tmp_path / "x.csv", INPUTS, PANDAS)
    assert read(spark, images, labels, header="no").rows == len(INPUTS) + 1


@pytest.mark.parametrize("partitions", [1, 3])
def test_lines_are_skipped_in_each_file_and_counted(spark, tmp_path, partitions):
    (tmp_path / "x").mkdir()
    for number, part in enumerate(np.split(INPUTS, 4)):
        write(tmp_path / "x" / f"part-{number}", part, "made by me\n\na,b,c,d\n")
    labels = write(tmp_path / "y.csv", LABELS, "made by me\n\nlabel\n")
    assert_holds(read(spark, str(tmp_path / "x"), labels, partitions, skip=2))
    lines = (tmp_path / "x" / "part-2").read_text().splitlines()
    (tmp_path / "x" / "part-2").write_text("\n".join([*lines[:7], "1,2,3,x", *lines[8:]]))
    with pytest.raises(DataError, match=r"part-2, line 8: expected a number as value 4 of 4, found 'x'"):
        read(spark, str(tmp_path / "x"), labels, partitions, skip=2)


def test_more_lines_to_skip_than_a_first_piece_has_are_refused(spark, tmp_path):
    images, labels = write(tmp_path / "x.csv", INPUTS), write(tmp_path / "y.csv", LABELS)
    with pytest.raises(
        DataError, match="--skip-lines: expected fewer than the .* lines of the first of .* input splits"
    ):
        read(spark, images, labels, partitions=20, skip=5)
    with pytest.raises(
        DataError, match="TRAIN_IMAGES: expected rows of numbers, found nothing after the first 40"
    ):
        read(spark, images, labels, partitions=1, skip=40)


def test_a_header_that_begins_a_second_piece_is_not_read_as_a_row(spark, tmp_path):
    images = write(tmp_path / "x.csv", INPUTS, "#" * 3000 + f"\n{PANDAS}")
    labels = write(tmp_path / "y.csv", LABELS, "made by me\n")
    with pytest.raises(
        DataError, match="--skip-lines: expected fewer than the 1 lines of the first of 4 input splits"
    ):
        read(spark, images, labels, partitions=4, skip=1)
    assert_holds(read(spark, images, labels, partitions=1, skip=1))


def test_a_long_header_of_numbers_is_left_out_where_a_later_file_alone_has_one(spark, tmp_path):
    (tmp_path / "x").mkdir()
    wide = np.repeat(INPUTS, 3, axis=1)
    write(tmp_path / "x" / "part-0", wide[:5])
    write(tmp_path / "x" / "part-1", wide[5:], ",".join(map(str, range(12))) + "\n")
    assert read(spark, str(tmp_path / "x"), write(tmp_path / "y.csv", LABELS)).rows == len(INPUTS)


def test_label_files_that_each_have_the_header_0_are_suspected(spark, tmp_path):
    (tmp_path / "y").mkdir()
    for number, part in enumerate(np.split(LABELS, 2)):
        write(tmp_path / "y" / f"part-{number}", part, "0\n")
    images = write(tmp_path / "x.csv", INPUTS, PANDAS)
    with pytest.raises(
        DataError, match="is line 1 of each of the 2 files of .*y a header .* give --header yes"
    ):
        read(spark, images, str(tmp_path / "y"))
    assert_holds(read(spark, images, str(tmp_path / "y"), header="yes"))


@pytest.mark.parametrize(
    ("first", "notes"),
    [
        (
            "label,a,b,e,c\n",
            ["column 3 is named 'e', that of TRAIN_IMAGES 'c': columns are taken in their order"],
        ),
        ('"Label",A,b,c,d\n', []),
        ("", []),
    ],
)
def test_a_test_set_whose_columns_have_other_names_is_noted(spark, tmp_path, first, notes):
    table = np.column_stack([LABELS, INPUTS])
    train = Source("TRAIN", write(tmp_path / "x.csv", table, "label,a,b,c,d\n"), None, 0)
    test = Source("TEST", write(tmp_path / "z.csv", table, first), None, 0)
    train_set, test_set = reader.read_both(spark, Storage(spark), train, test, 2)
    assert not train_set.notes and len(test_set.notes) == len(notes)
    assert all(note in found for note, found in zip(notes, test_set.notes, strict=True))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            [],
            "found 3 in .*z.csv: it has 4 columns, of which column 0 was taken for the labels; does this file .*[?]",
        ),
        (
            [LABELS, LABELS],
            "found 5 in .*z.csv: it has 6 columns, of which column 0 was taken for the labels$",
        ),
    ],
)
def test_a_test_set_of_another_width_is_asked_for_labels_where_they_are_what_it_lacks(
    spark, tmp_path, more, message
):
    train = Source("TRAIN", write(tmp_path / "x.csv", np.column_stack([LABELS, INPUTS])), None, 0)
    test = Source("TEST", write(tmp_path / "z.csv", np.column_stack([*more, INPUTS])), None, 0)
    with pytest.raises(
        DataError, match=f"TEST_IMAGES: expected 4 input columns as in TRAIN_IMAGES, {message}"
    ):
        reader.read_both(spark, Storage(spark), train, test, 2)


def test_a_first_row_before_blank_lines_is_a_row_and_nothing_warns(spark, tmp_path, recwarn):
    (tmp_path / "x.csv").write_text("5,6,7,8\n\n\n")
    (tmp_path / "y.csv").write_text("0\n\n")
    assert read(spark, str(tmp_path / "x.csv"), str(tmp_path / "y.csv")).rows == 1
    (tmp_path / "x.csv").write_text("5,6,7,8\n\n5,6,7,8\n")
    with pytest.raises(DataError, match="x.csv, line 2: expected .*, found an empty line"):
        read(spark, str(tmp_path / "x.csv"), str(tmp_path / "y.csv"))
    assert not [each for each in recwarn if "loadtxt" in str(each.message)]


def test_a_file_that_does_not_belong_to_a_folder_is_named(spark, tmp_path):
    (tmp_path / "x").mkdir()
    write(tmp_path / "x" / "part-0", INPUTS)
    labels = write(tmp_path / "y.csv", LABELS)
    for name in ("README.md", "z-notes.txt"):  # before the rows, and after them
        (tmp_path / "x" / name).write_text("hello\n")
        with pytest.raises(
            DataError, match=rf"x/{name}, line 1: expected 4 values .* move the file out of the folder"
        ):
            read(spark, str(tmp_path / "x"), labels)
        (tmp_path / "x" / name).unlink()


def test_folders_in_a_folder_are_told(spark, tmp_path):
    labels = write(tmp_path / "y.csv", LABELS)
    for day, part in enumerate(np.split(INPUTS, 2)):
        (tmp_path / "days" / f"day-{day}").mkdir(parents=True)
        write(tmp_path / "days" / f"day-{day}" / "part-0", part)
    with pytest.raises(
        DataError, match=r"no files in .*days itself, 2 folders \(day-0, day-1\): .*days/\* reads theirs"
    ):
        read(spark, str(tmp_path / "days"), labels)
    assert_holds(read(spark, str(tmp_path / "days" / "*"), labels))
    write(tmp_path / "days" / "part-0", INPUTS)
    (note,) = read(spark, str(tmp_path / "days"), labels).notes
    assert note.startswith("TRAIN_IMAGES: not read: 2 folders in ") and "(day-0, day-1)" in note


def test_a_packed_file_of_another_format_is_called_by_its_name(spark, tmp_path):
    with gzip.open(tmp_path / "images.gz", "wb") as file:
        file.write(b"\x00\x00\x08\x03" + bytes(12) + bytes(range(200)))
    with pytest.raises(DataError, match=r"images.gz, line 1: expected a row of numbers, found an IDX file"):
        read(spark, str(tmp_path / "images.gz"), str(tmp_path / "images.gz"))


def test_an_index_column_with_a_name_is_noted_by_its_name(spark, tmp_path):
    rows = "\n".join(f"{row},{row % 7},{row % 2}" for row in range(40))
    (tmp_path / "x.csv").write_text(f"key,b,y\n{rows}\n")
    (note,) = read(spark, str(tmp_path / "x.csv"), None, column="y").notes
    assert (
        note.startswith("TRAIN_IMAGES: column 'key' counts the rows (0, 1, 2, ...)")
        and "--drop-columns" in note
    )


def test_an_index_column_among_the_inputs_is_noted_where_it_stands_in_the_file(spark, tmp_path):
    table = np.column_stack([LABELS, INPUTS[:, :2], np.arange(40), INPUTS[:, 2:]])
    (note,) = read(spark, write(tmp_path / "x.csv", table), None, column=0).notes
    assert note.startswith("TRAIN_IMAGES: column 3 counts the rows (0, 1, 2, ...)")

"""Arrays in .npz files: exact round trips, and one-line errors for every damaged file."""

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nn.core import npz

KINDS = st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8", ">f4"])
ARRAYS = {"0.W": np.arange(6, dtype=np.float32).reshape(2, 3), "text": np.array("words"), "n": np.array(3)}
CONTENT = npz.to_bytes(ARRAYS)


def packed(members, compression=zipfile.ZIP_STORED):
    """An archive of these (name, bytes) members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return buffer.getvalue()


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


@given(KINDS.flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=0, min_side=0))))
def test_npz_round_trip_is_exact(array):
    for original in (array, np.asfortranarray(array)):
        array_read = npz.from_bytes(npz.to_bytes({"a": original}))["a"]
        assert array_read.tobytes() == original.tobytes() and (array_read.shape, array_read.dtype) == (
            original.shape,
            original.dtype,
        )
        assert array_read.flags.f_contiguous == original.flags.f_contiguous and array_read.flags.writeable


def test_npz_is_read_by_numpy():
    with np.load(io.BytesIO(CONTENT), allow_pickle=False) as array_read:
        assert {name: array_read[name].tolist() for name in array_read.files} == {
            name: array.tolist() for name, array in ARRAYS.items()
        }
    assert str(npz.from_bytes(CONTENT)["text"]) == "words"


def test_npz_gives_the_same_bytes_for_the_same_arrays():
    assert npz.to_bytes(ARRAYS) == CONTENT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an .npz archive"),
        (CONTENT[:-30], "not an .npz archive"),
        (packed([("a.npy", b"")]), "'a': expected an array of plain numbers, found a faulty header: "),
        (
            packed([("a.npy", npy(np.ones(2)).replace(b"NUMPY\x01\x00", b"NUMPY\x01\x80"))]),
            r"found a faulty header: '\(1, 128\)'",
        ),
        (packed([("a.txt", b"x")]), r"expected nothing but .npy files, found 'a.txt'"),
        (packed([("../a.npy", npy(np.ones(2)))]), None),  # a name is a key, never a path
        (packed([("a.npy", npy(np.zeros(10_000)))], zipfile.ZIP_DEFLATED), "found 'a.npy' compressed"),
        (packed([("a.npy", npy(np.array([{}], object)))]), "expected an array of plain numbers"),
        (packed([("a.npy", npy(np.ones(3))[:-1])]), r"expected 24 bytes for float64 \(3,\) .* found 23"),
        (packed([("a.npy", npy(np.ones(3)).replace(b"(3,)", b"(9,)"))]), "expected 72 bytes .* found 24"),
        (
            packed([("a.npy", npy(np.ones(3)).replace(b"(3,)", b"(-3,)"))]),
            "expected an array of plain numbers",
        ),
        (packed([("a.npy", npy(np.array([(1, 2)], "i4,i4")))]), "expected an array of plain numbers"),
        (
            packed(
                [
                    (
                        "a.npy",
                        npy(np.array("x")).replace(b"U1'", b"U999999999'").replace(8 * b" " + b"\n", b"\n"),
                    )
                ]
            ),
            "'a': expected an array of plain numbers, found .*<U",
        ),
        (packed([("a.npy", npy(np.array("x"))[:-1] + b"\x7f")]), "numbers that are not Unicode characters"),
    ],
)
def test_npz_refuses_damaged_files(content, message):
    if message is None:
        assert list(npz.from_bytes(content)) == ["../a"]
        return
    with pytest.raises(ValueError, match=message) as caught:
        npz.from_bytes(content)
    assert "\n" not in str(caught.value)


def test_npz_refuses_an_array_twice():
    with pytest.warns(UserWarning, match="Duplicate"):
        content = packed([("a.npy", npy(np.ones(2))), ("a.npy", npy(np.ones(2)))])
    with pytest.raises(ValueError, match="expected each array once, found 'a' twice"):
        npz.from_bytes(content)


def test_npz_refuses_members_that_claim_more_than_the_file_holds():
    """Many directory entries may point at the same bytes: a zip bomb, although each entry alone is correct."""
    body = npy(np.zeros(4000))
    content = bytearray(packed([(f"{number:04}.npy", body if number == 0 else b"") for number in range(40)]))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as file:
        first = file.infolist()[0]
    size = len(body).to_bytes(4, "little")
    offset = content.index(b"PK\x01\x02")
    while (offset := content.find(b"PK\x01\x02", offset)) >= 0:
        content[offset + 16 : offset + 28] = first.CRC.to_bytes(4, "little") + size + size
        content[offset + 42 : offset + 46] = (0).to_bytes(4, "little")
        offset += 4
    with pytest.raises(ValueError, match="expected arrays of at most the file's"):
        npz.from_bytes(bytes(content))


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f16', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '|S8', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '|b1', 'fortran_order': False, 'shape': (24,), }",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000000,), }",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (True, 3), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3, -1, -1), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (0, " + 30 * "9" + "), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3L,), }",  # Python 2, for which NumPy warns
        "{'descr': '<f8', 'fortran_order': False, 'shape': " + 900 * "(" + "}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': " + 900 * "-" + "3, }",
        "{'descr': '\\d', 'fortran_order': False, 'shape': (3,), }",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }" + 2000 * " ",
    ],
)
def test_npz_refuses_headers_that_are_not_of_plain_numbers(header, recwarn):
    content = (
        b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header.encode() + np.ones(3).tobytes()
    )
    with pytest.raises(ValueError, match="'a': expected an array of plain numbers, found ") as caught:
        npz.from_bytes(packed([("a.npy", content)]))
    assert "\n" not in str(caught.value) and not len(recwarn)


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
@settings(max_examples=300)
def test_npz_raises_nothing_but_one_line_value_errors(offset, change):
    damaged = bytearray(CONTENT)
    damaged[offset] ^= change
    try:
        npz.from_bytes(bytes(damaged))
    except ValueError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"scale": 1' + 300 * "0" + "}", "expected numbers of at most 300 digits, found one of 301"),
        ('{"scale": NaN}', "expected JSON, found NaN"),
        ("[1]", "expected a JSON object, found list"),
        (50_000 * "[", "expected JSON, found brackets nested too deep"),
    ],
)
def test_pop_json_refuses_what_is_not_an_object_of_finite_numbers(text, message):
    with pytest.raises(ValueError, match=message):
        npz.pop_json({"config": np.array(text)}, "config")


def test_pop_json_removes_the_text_from_the_arrays():
    arrays = {"config": np.array('{"scale": 1' + 299 * "0" + "}"), "0.W": np.ones(2)}
    assert npz.pop_json(arrays, "config") == {"scale": 10**299} and list(arrays) == ["0.W"]
    with pytest.raises(ValueError, match='expected a text named "config", found none'):
        npz.pop_json(arrays, "config")

"""Files on a local disk: read no further than asked, written whole or not at all."""

import os

import pytest

from nn.core import files


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "file"
    for content in (b"one", b""):
        files.write(path, content)
        assert files.read(path, 3) == content
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("most", [0, 2])
def test_more_than_asked_for_is_not_read(tmp_path, most):
    (tmp_path / "file").write_bytes(b"abc")
    with pytest.raises(ValueError, match=f"expected at most {most} bytes, found 3"):
        files.read(tmp_path / "file", most)


def test_no_memory_is_taken_for_what_is_not_there(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert files.read(tmp_path / "file", 1 << 62) == b"abc"


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no path for a pipe here")
@pytest.mark.parametrize("most", [2, 3, 10])
def test_a_pipe_is_read_whole_or_refused(most):
    read, write = os.pipe()
    os.write(write, b"abc")
    os.close(write)
    try:
        if most >= 3:
            assert files.read(f"/dev/fd/{read}", most) == b"abc"
        else:
            with pytest.raises(ValueError, match="expected at most 2 bytes, found 3"):
                files.read(f"/dev/fd/{read}", most)
    finally:
        os.close(read)


def test_a_link_in_the_place_of_the_unfinished_file_is_not_followed(tmp_path):
    (tmp_path / "precious").write_text("kept")
    (tmp_path / ".file.part").symlink_to(tmp_path / "precious")
    files.write(tmp_path / "file", b"new")
    assert (tmp_path / "precious").read_text() == "kept"
    assert (tmp_path / "file").read_bytes() == b"new" and not (tmp_path / ".file.part").is_symlink()


def test_a_write_that_is_cut_short_leaves_what_was_there(tmp_path, monkeypatch):
    files.write(tmp_path / "file", b"old")

    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("path", ["missing/file", ""])
def test_an_error_names_the_file_that_was_asked_for(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as raised:
        files.write(path, b"new")
    assert (raised.value.filename, raised.value.filename2) == (path, None)
    assert list(tmp_path.iterdir()) == []

"""Jars are taken by their coordinates, and only where their bytes are those that are expected."""

import hashlib

import pytest

from tests.clusters import jars


def test_a_jar_is_fetched_once_and_only_with_the_bytes_that_are_pinned(tmp_path):
    central, kept = tmp_path / "central", tmp_path / "kept"
    folder = central / "org" / "some" / "thing" / "1.0"
    folder.mkdir(parents=True)
    (folder / "thing-1.0-shaded.jar").write_bytes(b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    with pytest.raises(jars.Unavailable, match="expected SHA-256 abc, found ed70"):
        jars.fetched("org.some:thing:1.0:shaded", "abc", kept, central.as_uri())
    assert not kept.exists()
    path = jars.fetched("org.some:thing:1.0:shaded", digest, kept, central.as_uri())
    assert path == kept / "thing-1.0-shaded.jar" and path.read_bytes() == b"content"
    (folder / "thing-1.0-shaded.jar").unlink()
    assert jars.fetched("org.some:thing:1.0:shaded", digest, kept, central.as_uri()) == path
    path.write_bytes(b"damaged")
    with pytest.raises(jars.Unavailable, match="cannot be had"):
        jars.fetched("org.some:thing:1.0:shaded", digest, kept, central.as_uri())


def test_every_line_of_the_list_has_a_use_coordinates_and_a_digest():
    lines = [line.split() for line in jars.LIST.read_text().splitlines() if not line.startswith("#")]
    assert {line[0] for line in lines} == {"hadoop", "client", "gs", "s3a"}
    assert all(len(use) == 3 and use[1].count(":") in (2, 3) and len(use[2]) == 64 for use in lines)

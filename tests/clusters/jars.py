"""Jars of Maven Central by coordinates, each of a pinned version and checked against its SHA-256.

They are kept in .jars/ beside .venv, or in the folder that NN_JARS names.
"""

import hashlib
import os
import urllib.request
from pathlib import Path

from tests.support import ROOT

CENTRAL = "https://repo1.maven.org/maven2"
LIST = Path(__file__).with_name("jars.txt")
FOLDER = Path(os.environ.get("NN_JARS") or ROOT / ".jars")
PATIENCE = 60  # seconds without a byte


class Unavailable(Exception):
    """Something that a cluster needs cannot be had here."""


def jars_for(use: str) -> list[Path]:
    """The jars that `jars.txt` lists for a use, fetched where they are not there yet. Raises Unavailable."""
    lines = [line.split() for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return [fetched(coordinates, digest) for what, coordinates, digest in lines if what == use]


def fetched(coordinates: str, digest: str, folder: Path = FOLDER, central: str = CENTRAL) -> Path:
    """The path of one jar whose SHA-256 is `digest`. Raises Unavailable."""
    group, artifact, version, *classifier = coordinates.split(":")
    path = folder / f"{'-'.join([artifact, version, *classifier])}.jar"
    if path.exists() and _digest(path.read_bytes()) == digest:
        return path
    url = f"{central}/{group.replace('.', '/')}/{artifact}/{version}/{path.name}"
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            content = answer.read()
    except OSError as error:
        raise Unavailable(f"{url} cannot be had: {error}") from None
    if _digest(content) != digest:
        raise Unavailable(f"{url}: expected SHA-256 {digest}, found {_digest(content)}")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return path


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

"""Downloading published files: checked before they get their names, from one mirror or the next."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import queue
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from nn.datasets.catalogue import Published, RemoteFile
from nn.datasets.errors import DataError, DownloadError
from nn.datasets.idx import sha256_of
from nn.datasets.progress import Progress

PATIENCE = 20.0  # seconds for a mirror to answer, and between two pieces of data
SLOWEST = 8_000  # bytes a second; a mirror that trickles for longer counts as dead
PIECE = 1 << 16


def fetch_all(published: Published, folder: str, patience: float = PATIENCE) -> dict[str, str]:
    """Bring the data set's files into the folder, keep those already there, and give their paths by stem."""
    mirrors = list(published.mirrors)
    return {file.stem: fetch(file, mirrors, folder, patience) for file in published.files}


def fetch(file: RemoteFile, mirrors: list[str], folder: str, patience: float = PATIENCE) -> str:
    """Bring one file into the folder; a mirror that failed goes to the end of the list, for the next file."""
    path = os.path.join(folder, file.name)
    if _is_whole(path, file):
        return path
    kind: type[Exception] = DownloadError
    reasons = []
    for mirror in tuple(mirrors):
        try:
            _fetch_from(mirror + file.name, file, path, patience)
            return path
        except (DataError, DownloadError) as error:
            kind = DataError if isinstance(error, DataError) else kind
            reasons.append(f"{urllib.parse.urlsplit(mirror).netloc}: {error}")
            mirrors.append(mirrors.pop(0))
    raise kind(f"could not download {file.name} ({'; '.join(reasons)})")


def _is_whole(path: str, file: RemoteFile) -> bool:
    """Whether an earlier run left the whole file there."""
    return os.path.isfile(path) and os.path.getsize(path) == file.size and sha256_of(path) == file.sha256


def _fetch_from(url: str, file: RemoteFile, path: str, patience: float) -> None:
    """Download to a temporary name, check, rename; whatever happens, nothing unchecked is left."""
    with contextlib.closing(_open(url, patience)) as answer:
        announced = answer.headers.get("Content-Length", str(file.size))
        if announced != str(file.size):
            raise DataError(f"expected {file.size:,} bytes, found {announced} announced")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        partial = f"{path}.{os.getpid()}.part"
        try:
            _copy_checked(answer, partial, file, patience)
            os.replace(partial, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(partial)


def _copy_checked(answer, partial: str, file: RemoteFile, patience: float) -> None:
    """Copy the body, never more than one byte above its known length, and hold it against length and hash."""
    digest = hashlib.sha256()
    received = 0
    started = time.monotonic()
    with open(partial, "wb") as out, Progress(f"downloading {file.name}", file.size, "bytes") as progress:
        while piece := _piece(answer, file.size + 1 - received):
            out.write(piece)
            digest.update(piece)
            received += len(piece)
            progress.advance(len(piece))
            if time.monotonic() - started > patience + received / SLOWEST:
                raise DownloadError(f"only {received:,} bytes came in {time.monotonic() - started:.0f} s")
        if received != file.size:
            found = f"{received:,}" if received < file.size else "more"
            raise DataError(f"expected {file.size:,} bytes, found {found}")
        if digest.hexdigest() != file.sha256:
            raise DataError(f"expected SHA-256 {file.sha256[:12]}..., found {digest.hexdigest()[:12]}...")


def _piece(answer, limit: int) -> bytes:
    """Read what has come, at most so much; empty at the end."""
    try:
        return answer.read1(min(PIECE, limit))
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(_reason(error)) from error


def _open(url: str, patience: float) -> http.client.HTTPResponse:
    """Open a URL within so many seconds, or say why not.

    The timeout of urlopen holds for one address of the host and not for looking its name up, and a host may
    have sixteen addresses behind a firewall that drops everything; so a thread asks and this one waits.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "generate_data.py"})
    outcome: queue.Queue = queue.Queue()

    def ask() -> None:
        try:
            outcome.put(urllib.request.urlopen(request, timeout=patience))
        except Exception as error:
            outcome.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = outcome.get(timeout=patience)
    except queue.Empty:
        raise DownloadError(f"no answer within {patience:g} s") from None
    if isinstance(answer, Exception):
        raise DownloadError(_reason(answer)) from answer
    return answer


def _reason(error: Exception) -> str:
    """Say in a few words why a mirror failed."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__

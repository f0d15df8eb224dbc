"""Download published files from one of several mirrors; check their length and hash before they are renamed."""

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

TIMEOUT = 20.0  # seconds for a mirror to answer, and between two pieces of data
SLOWEST = 8_000  # bytes per second; a slower mirror is given up
PIECE = 1 << 16


def fetch_all(published: Published, folder: str, timeout: float = TIMEOUT) -> dict[str, str]:
    """Download the data set's files that are not yet in the folder; return the paths of all by stem."""
    mirrors = list(published.mirrors)
    return {file.stem: fetch(file, mirrors, folder, timeout) for file in published.files}


def fetch(file: RemoteFile, mirrors: list[str], folder: str, timeout: float = TIMEOUT) -> str:
    """Download one file into the folder, unless it is there; return its path.

    A mirror that fails is moved to the end of `mirrors`, for the files that follow. Raises DataError if a mirror sent
    other data, DownloadError if none sent any.
    """
    path = os.path.join(folder, file.name)
    if _is_whole(path, file):
        return path
    kind: type[Exception] = DownloadError
    reasons = []
    for mirror in tuple(mirrors):
        try:
            _fetch_from(mirror + file.name, file, path, timeout)
            return path
        except (DataError, DownloadError) as error:
            kind = DataError if isinstance(error, DataError) else kind
            reasons.append(f"{urllib.parse.urlsplit(mirror).netloc}: {error}")
            mirrors.append(mirrors.pop(0))
    raise kind(f"could not download {file.name} ({'; '.join(reasons)})")


def _is_whole(path: str, file: RemoteFile) -> bool:
    """Return whether the whole file is there from an earlier run."""
    return os.path.isfile(path) and os.path.getsize(path) == file.size and sha256_of(path) == file.sha256


def _fetch_from(url: str, file: RemoteFile, path: str, timeout: float) -> None:
    """Download to a temporary name, check, rename; a file that failed the checks is removed."""
    with contextlib.closing(_open(url, timeout)) as answer:
        announced = answer.headers.get("Content-Length", str(file.size))
        if announced != str(file.size):
            raise DataError(f"expected {file.size:,} bytes, found {announced} announced")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        partial = f"{path}.{os.getpid()}.part"
        try:
            _copy_checked(answer, partial, file, timeout)
            os.replace(partial, path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(partial)


def _copy_checked(answer, partial: str, file: RemoteFile, timeout: float) -> None:
    """Copy the body, at most one byte more than its known length, and check its length and hash."""
    digest = hashlib.sha256()
    received = 0
    started = time.monotonic()
    with open(partial, "wb") as out, Progress(f"downloading {file.name}", file.size, "bytes") as progress:
        while piece := _piece(answer, file.size + 1 - received):
            out.write(piece)
            digest.update(piece)
            received += len(piece)
            progress.advance(len(piece))
            if time.monotonic() - started > timeout + received / SLOWEST:
                raise DownloadError(f"only {received:,} bytes came in {time.monotonic() - started:.0f} s")
        if received != file.size:
            found = f"{received:,}" if received < file.size else "more"
            raise DataError(f"expected {file.size:,} bytes, found {found}")
        if digest.hexdigest() != file.sha256:
            raise DataError(f"expected SHA-256 {file.sha256[:12]}..., found {digest.hexdigest()[:12]}...")


def _piece(answer, limit: int) -> bytes:
    """Read the bytes that have arrived, at most `limit`; none at the end."""
    try:
        return answer.read1(min(PIECE, limit))
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(_reason(error)) from error


def _open(url: str, timeout: float) -> http.client.HTTPResponse:
    """Open a URL. Raises DownloadError if there is no answer within `timeout` seconds.

    The timeout of urlopen is that of one address and does not include the look-up of the host's name. A host may
    have sixteen addresses behind a firewall that drops everything, so a thread opens the URL and this one waits.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "generate_data.py"})
    outcome: queue.Queue = queue.Queue()

    def open_url() -> None:
        try:
            outcome.put(urllib.request.urlopen(request, timeout=timeout))
        except Exception as error:
            outcome.put(error)

    threading.Thread(target=open_url, daemon=True).start()
    try:
        answer = outcome.get(timeout=timeout)
    except queue.Empty:
        raise DownloadError(f"no answer within {timeout:g} s") from None
    if isinstance(answer, Exception):
        raise DownloadError(_reason(answer)) from answer
    return answer


def _reason(error: Exception) -> str:
    """Return in a few words why a mirror failed."""
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code} {error.reason}"
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause) or type(cause).__name__

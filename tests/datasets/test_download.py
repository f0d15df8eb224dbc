"""Downloads: only whole and right files get their names, and every failure says which file and why."""

from __future__ import annotations

import hashlib
import http.server
import os
import socket
import threading
import time
import urllib.request

import pytest

from nn.datasets import download
from nn.datasets.catalogue import PUBLISHED, STEMS, Published, RemoteFile
from nn.datasets.errors import DataError, DownloadError

CONTENT = bytes(range(256)) * 40
FILE = RemoteFile("train-images-idx3-ubyte", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Mirror(http.server.ThreadingHTTPServer):
    """A server on this machine that answers every path in the way it is told."""

    daemon_threads = True

    def __init__(self, content=CONTENT, announced=None, status=200, pause=0.0):
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.announced, self.status, self.pause = content, announced, status, pause
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}/set/"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self):
        behavior = self.server
        behavior.asked.append(self.path)
        self.send_response(behavior.status)
        if behavior.announced != "nothing":
            self.send_header("Content-Length", str(behavior.announced or len(behavior.content)))
        self.end_headers()
        for at in range(0, len(behavior.content), 1_000):
            try:
                self.wfile.write(behavior.content[at : at + 1_000])
            except ConnectionError:
                return
            time.sleep(behavior.pause)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve():
    servers = []

    def start(**behavior):
        servers.append(Mirror(**behavior))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def without_a_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


def files_in(folder):
    return sorted(os.listdir(folder)) if folder.exists() else []


def test_fetch_brings_the_file(tmp_path, serve, capsys):
    mirror = serve()
    path = download.fetch(FILE, [mirror.address], str(tmp_path / "new" / "folder"))
    assert path == str(tmp_path / "new" / "folder" / "train-images-idx3-ubyte.gz")
    with open(path, "rb") as stream:
        assert stream.read() == CONTENT
    assert mirror.asked == ["/set/train-images-idx3-ubyte.gz"]
    assert files_in(tmp_path / "new" / "folder") == ["train-images-idx3-ubyte.gz"]
    assert "downloading train-images-idx3-ubyte.gz: 10,240 bytes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ({"content": CONTENT[:-1]}, "expected 10,240 bytes, found 10239 announced"),
        ({"content": CONTENT[:-1], "announced": "nothing"}, "expected 10,240 bytes, found 10,239"),
        ({"content": CONTENT + b"x", "announced": "nothing"}, "expected 10,240 bytes, found more"),
        ({"content": b"x" + CONTENT[1:]}, f"expected SHA-256 {FILE.sha256[:12]}..., found "),
        ({"content": b"x" * 20_000_000, "announced": "nothing"}, "expected 10,240 bytes, found more"),
    ],
)
def test_fetch_refuses_wrong_data_and_leaves_none(tmp_path, serve, behavior, reason):
    with pytest.raises(DataError) as caught:
        download.fetch(FILE, [serve(**behavior).address], str(tmp_path))
    assert "could not download train-images-idx3-ubyte.gz (127.0.0.1:" in str(caught.value)
    assert reason in str(caught.value)
    assert files_in(tmp_path) == []


def test_fetch_reads_no_more_than_one_byte_above_the_size(tmp_path, serve, monkeypatch):
    limits = []
    piece = download._piece

    def watched(answer, limit):
        limits.append(limit)
        return piece(answer, limit)

    monkeypatch.setattr(download, "_piece", watched)
    with pytest.raises(DataError):
        download.fetch(FILE, [serve(content=CONTENT * 10, announced="nothing").address], str(tmp_path))
    assert limits[0] == FILE.size + 1
    assert min(limits) >= 0


def test_fetch_of_a_missing_page_is_a_download_error(tmp_path, serve):
    with pytest.raises(DownloadError, match="HTTP 404 Not Found"):
        download.fetch(FILE, [serve(status=404).address], str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_fetch_of_a_cut_connection_is_refused(tmp_path, serve):
    with pytest.raises(DataError, match=r"expected 10,240 bytes, found 5,000"):
        download.fetch(FILE, [serve(content=CONTENT[:5_000], announced=FILE.size).address], str(tmp_path))
    assert files_in(tmp_path) == []


def test_fetch_of_an_unknown_host_is_a_download_error(tmp_path):
    with pytest.raises(DownloadError, match=r"no-such-host\.invalid: "):
        download.fetch(FILE, ["http://no-such-host.invalid/"], str(tmp_path / "new"), timeout=3)
    assert not (tmp_path / "new").exists()


def test_fetch_gives_up_on_a_server_that_does_not_answer(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        mirror = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        started = time.monotonic()
        with pytest.raises(DownloadError, match=r"no answer within 0\.3 s|timed out"):
            download.fetch(FILE, [mirror], str(tmp_path), timeout=0.3)
    assert time.monotonic() - started < 2


def test_fetch_gives_up_on_a_name_server_that_does_not_answer(tmp_path, monkeypatch):
    """No timeout of a socket covers this; one of the program's own must."""
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: time.sleep(3))
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"no answer within 0\.1 s"):
        download.fetch(FILE, ["http://one.invalid/"], str(tmp_path), timeout=0.1)
    assert time.monotonic() - started < 2


def test_fetch_gives_up_on_a_server_that_trickles(tmp_path, serve, monkeypatch):
    monkeypatch.setattr(download, "SLOWEST", 100_000)
    with pytest.raises(DownloadError, match=r"only [\d,]+ bytes came in"):
        download.fetch(FILE, [serve(pause=0.1).address], str(tmp_path), timeout=0.2)
    assert files_in(tmp_path) == []


def test_fetch_tries_the_next_mirror_and_remembers(tmp_path, serve):
    bad, good = serve(content=b"x" + CONTENT[1:]), serve()
    mirrors = [bad.address, good.address]
    download.fetch(FILE, mirrors, str(tmp_path))
    assert mirrors == [good.address, bad.address]
    assert files_in(tmp_path) == ["train-images-idx3-ubyte.gz"]


def test_fetch_names_every_mirror_that_failed(tmp_path, serve):
    first, second = serve(status=500), serve(status=403)
    with pytest.raises(DownloadError, match=r"HTTP 500 .*; 127.0.0.1:\d+: HTTP 403"):
        download.fetch(FILE, [first.address, second.address], str(tmp_path))


def test_fetch_keeps_a_whole_file_and_replaces_a_broken_one(tmp_path, serve):
    path = tmp_path / FILE.name
    path.write_bytes(CONTENT)
    assert download.fetch(FILE, [], str(tmp_path)) == str(path)
    path.write_bytes(b"x" + CONTENT[1:])
    download.fetch(FILE, [serve().address], str(tmp_path))
    assert path.read_bytes() == CONTENT


def test_fetch_passes_a_full_disk_on(tmp_path, serve):
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(OSError) as caught:  # a folder cannot be made there
        download.fetch(FILE, [serve().address], str(blocked / "folder"))
    assert not isinstance(caught.value, DownloadError)


def test_fetch_removes_the_part_when_interrupted(tmp_path, serve, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(download.Progress, "advance", interrupt)
    with pytest.raises(KeyboardInterrupt):
        download.fetch(FILE, [serve().address], str(tmp_path))
    assert files_in(tmp_path) == []


def test_fetch_all_brings_every_file(tmp_path, serve):
    files = tuple(RemoteFile(stem, FILE.size, FILE.sha256) for stem in STEMS)
    published = Published("tiny", ("a", "b"), (serve().address,), files)
    paths = download.fetch_all(published, str(tmp_path))
    assert list(paths) == list(STEMS)
    assert files_in(tmp_path) == sorted(f"{stem}.gz" for stem in STEMS)


def test_catalogue_is_complete():
    for name, published in PUBLISHED.items():
        assert published.name == name
        assert len(set(published.classes)) == 10
        assert tuple(file.stem for file in published.files) == STEMS
        assert all(len(bytes.fromhex(file.sha256)) == 32 for file in published.files)
        assert len({file.sha256 for file in published.files}) == 4
        assert all(mirror.endswith("/") for mirror in published.mirrors)
        assert name == "kmnist" or all(mirror.startswith("https://") for mirror in published.mirrors)

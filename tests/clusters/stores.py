"""Object stores on loopback: an emulator of Google Cloud Storage, and moto's S3, each with Hadoop's class for it."""

import importlib.util
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from tests.clusters.daemons import HOST, Daemon, daemons, free_ports
from tests.clusters.jars import Unavailable, jars_for

EMULATOR = Path(__file__).with_name("google_emulator.py")
BUCKET = "bucket"
SECRET = "S3CR3T-that-must-not-be-written-down"
ACCESS = "AKIAIOSFODNN7TESTKEY"


# Hadoop 3.5 has defaults for its own connector under the same keys; Google's reads no units.
WITHOUT_UNITS = {
    "block.size": 64 << 20,
    "rewrite.max.chunk.size": 512 << 20,
    "outputstream.buffer.size": 8 << 20,
    "inputstream.inplace.seek.limit": 8 << 20,
    "inputstream.min.range.request.size": 2 << 20,
}


def files(names: Iterable[str]) -> list[str]:
    """Names in their order, without those of the objects that stand for folders."""
    return sorted(name for name in names if not name.endswith("/"))


class Store:
    """A bucket of a running emulator; `settings` are Spark's for it."""

    def __init__(self, scheme: str, root: str, settings: dict[str, str], daemon: Daemon):
        self.url, self.root, self.daemon = f"{scheme}://{BUCKET}", root, daemon
        self.settings = {"spark.jars": ",".join(map(str, jars_for(scheme))), **settings}

    @property
    def port(self) -> int:
        """The emulator's port."""
        return int(self.root.rpartition(":")[2])

    def put(self, name: str, content: bytes) -> str:
        """Write an object; its URL."""
        self.request("PUT", f"{BUCKET}/{urllib.parse.quote(name)}", content)
        return f"{self.url}/{name}"

    def get(self, name: str) -> bytes | None:
        """An object's content; None where there is none."""
        return self.request("GET", f"{BUCKET}/{urllib.parse.quote(name)}")

    def names(self, below: str) -> list[str]:
        """The names of all objects below a folder, from the bucket's root on."""
        query = urllib.parse.urlencode({"list-type": 2, "prefix": f"{below}/"})
        listed = self.request("GET", f"{BUCKET}?{query}") or b""
        return files(each.text or "" for each in ElementTree.fromstring(listed).iterfind(".//{*}Key"))

    def request(self, method: str, place: str, content: bytes | None = None) -> bytes | None:
        """An answer of the emulator; None where there is no such thing."""
        # moto gives what is private to whoever names a key.
        headers = {"Content-Type": "application/octet-stream"}
        headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={ACCESS}/20260101/us-east-1/s3/aws4_request"
        request = urllib.request.Request(f"{self.root}/{place}", content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise


class GoogleStore(Store):
    """The same through the JSON interface of Google Cloud Storage."""

    def put(self, name: str, content: bytes) -> str:
        """Write an object; its URL."""
        query = urllib.parse.urlencode({"uploadType": "media", "name": name})
        self.request("POST", f"upload/storage/v1/b/{BUCKET}/o?{query}", content)
        return f"{self.url}/{name}"

    def get(self, name: str) -> bytes | None:
        """An object's content; None where there is none."""
        return self.request("GET", f"storage/v1/b/{BUCKET}/o/{urllib.parse.quote(name, safe='')}?alt=media")

    def names(self, below: str) -> list[str]:
        """The names of all objects below a folder, from the bucket's root on."""
        query = urllib.parse.urlencode({"prefix": f"{below}/"})
        listed = json.loads(self.request("GET", f"storage/v1/b/{BUCKET}/o?{query}") or b"{}")
        return files(each["name"] for each in listed.get("items", []))


@contextmanager
def s3(folder: Path) -> Iterator[Store]:
    """moto's S3, with a bucket, for hadoop-aws."""
    (port,) = free_ports(1)
    root = f"http://{HOST}:{port}"
    with _emulator("moto", ["-m", "moto.server", "-H", HOST, "-p", str(port)], port, folder) as daemon:
        store = Store(
            "s3a",
            root,
            {
                "spark.hadoop.fs.s3a.endpoint": root,
                "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
                "spark.hadoop.fs.s3a.path.style.access": "true",
                "spark.hadoop.fs.s3a.access.key": ACCESS,
                "spark.hadoop.fs.s3a.secret.key": SECRET,
            },
            daemon,
        )
        store.request("PUT", BUCKET)
        yield store


@contextmanager
def google(folder: Path) -> Iterator[Store]:
    """gcp-storage-emulator, with a bucket, for Google's Hadoop connector."""
    (port,) = free_ports(1)
    root = f"http://{HOST}:{port}"
    words = ["start", "--host", HOST, "--port", str(port), "--in-memory", "--default-bucket", BUCKET]
    with _emulator("gcp_storage_emulator", [str(EMULATOR), *words], port, folder) as daemon:
        yield GoogleStore(
            "gs",
            root,
            {
                "spark.hadoop.fs.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
                "spark.hadoop.fs.gs.storage.root.url": f"{root}/",
                "spark.hadoop.fs.gs.project.id": "tests",
                "spark.hadoop.fs.gs.auth.type": "UNAUTHENTICATED",
                "spark.hadoop.fs.gs.operation.move.enable": "false",  # the emulator copies
                **{f"spark.hadoop.fs.gs.{key}": str(value) for key, value in WITHOUT_UNITS.items()},
            },
            daemon,
        )


STORES = {"gs": google, "s3a": s3}


@contextmanager
def _emulator(module: str, words: list[str], port: int, folder: Path) -> Iterator[Daemon]:
    if importlib.util.find_spec(module) is None:
        raise Unavailable(f"Python has no module {module}: tests/clusters/requirements.txt")
    folder.mkdir(parents=True, exist_ok=True)
    with daemons() as running:
        running.append(Daemon([sys.executable, *words], folder / f"{module}.log", os.environ, folder))
        running[-1].wait_for_port(port)
        yield running[-1]

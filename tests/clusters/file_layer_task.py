"""Try the file layer in the folder that the first argument names, and print what it did as a line of JSON."""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nn.core.errors import UsageError
from nn.spark.runtime.session import spark_context
from nn.spark.storage import hadoop, lock
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output


class Cut(bytes):
    """Bytes of which only the first part is had."""

    def __getitem__(self, part):
        if part.start:
            raise KeyboardInterrupt
        return super().__getitem__(part)


def tried(context, path):
    """What became of writes that end, are cut short, replace and compete."""
    storage = Storage(context)
    folder, found = storage.folder(path), {}
    Output(folder).probe()
    found["names after the probe"] = folder.names()
    folder.write("config.json", b"old")
    try:
        folder.write("config.json", Cut(2 * hadoop.BYTES_PER_CALL))
    except KeyboardInterrupt:
        found["after a write that was cut short"] = folder.read("config.json", 99).decode()
    folder.write("config.json", b"new")
    found["after a whole one"] = folder.read("config.json", 99).decode()
    found["created anew"] = [folder.create("file", b"one"), folder.create("file", b"two")]
    found["its content"] = folder.read("file", 99).decode()
    found["both that began at once"] = both_at_once(folder, storage)
    with lock.locked(folder, lambda: None, False, print):
        try:
            with lock.locked(storage.folder(path), lambda: None, False, print):
                found["a second owner"] = "was let in"
        except UsageError as error:
            found["a second owner"] = str(error).partition(";")[0].partition(": process")[0]
        folder.write("deeper/file", bytes(3))
    folder.remove("deeper/file")
    found["names at the end"] = [name for name in folder.names() if name != "deeper"]
    return found


def both_at_once(folder, storage):
    """How many of two that create a file before either has ended may keep it."""
    streams, kept = [], 0
    for _ in range(2):
        file_system, target = storage._hadoop.locate(f"{folder.path}/raced")
        try:
            streams.append(hadoop._open_new(file_system, target))
        except Exception:  # HDFS refuses the second one at once
            continue
    for stream in streams:
        try:
            stream.write(bytearray(b"content"))
            stream.close()
            kept += 1
        except Exception:
            continue
    return kept


if __name__ == "__main__":
    with spark_context("file layer") as started:
        print(json.dumps(tried(started, sys.argv[1])))

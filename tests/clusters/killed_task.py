"""main_task.py that is killed with kill -9, its JVM too, amid the first write of a file whose path matches KILL_AT."""

import os
import re
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import main_task
from nn.cli import entry, parser
from nn.spark.storage import hadoop

create = hadoop._create


def create_or_be_killed(file_system, path, content, overwrite=True):
    """Write a file, or half of it and end with all processes of this group."""
    if re.search(os.environ["KILL_AT"], path.toString()):
        stream = file_system.create(path, overwrite)
        stream.write(bytearray(content[: len(content) // 2]))
        if not hadoop._shows_whole_files(file_system, path):
            stream.hflush()
        os.killpg(os.getpgid(0), signal.SIGKILL)
    create(file_system, path, content, overwrite)


if __name__ == "__main__":
    hadoop._create = create_or_be_killed
    sys.exit(entry.run("main_task.py", parser.parse, main_task.main))

"""Functions of the report page's scripts, called in Node.js; tests skip where there is none."""

import json
import shutil
import subprocess

import pytest

from nn.plotting.report.page import SCRIPTS
from tests.support import ROOT

FOLDER = ROOT / "nn" / "plotting" / "report"
RUN = """
const fs = require("fs");
const {{ value }} = JSON.parse(fs.readFileSync(0, "utf8"));
Promise.resolve(({expression})).then((result) => console.log(JSON.stringify(result)));
"""


def evaluate(expression, value=None):
    """What an expression of the page's scripts gives, in which `value` is a JSON value from here."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js here, which runs the page's scripts")
    code = "\n".join((FOLDER / name).read_text() for name in SCRIPTS) + RUN.format(expression=expression)
    done = subprocess.run(
        [node, "-e", f'"use strict";\n{code}'],
        input=json.dumps({"value": value}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)

"""The zip for executors: the whole package, the same bytes each time."""

import subprocess
import sys
import zipfile

from nn.io import package
from tests.support import ROOT


def test_zip_holds_what_the_job_needs_and_is_repeatable(tmp_path):
    package.write_zip(tmp_path / "a.zip")
    package.write_zip(tmp_path / "deeper" / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "deeper" / "b.zip").read_bytes()
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    assert names == sorted(names)
    modules = {path.relative_to(ROOT) for path in (ROOT / "nn").rglob("*.py")}
    assert set(names) == {str(path) for path in modules if path.parts[1] not in ("datasets", "plotting")}


def test_zip_can_be_imported_without_pyspark(tmp_path):
    package.write_zip(tmp_path / "nn.zip")
    code = (
        "import sys; sys.modules['pyspark'] = None; sys.modules['matplotlib'] = None\n"
        f"sys.path.insert(0, {str(tmp_path / 'nn.zip')!r})\n"
        "import nn, nn.io.package, nn.training.local; print(nn.__file__, nn.io.package.is_zipped())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "nn.zip" in done.stdout and done.stdout.strip().endswith("True")


def test_package_is_not_zipped_in_a_checkout():
    assert not package.is_zipped()

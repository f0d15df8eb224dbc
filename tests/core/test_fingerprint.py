"""What tells the last bits of one machine from those of another."""

import os
import subprocess
import sys

import numpy as np
import pytest

from nn.core import fingerprint
from tests.support import ROOT


def of_another_process(**environment):
    code = "from nn.core.fingerprint import fingerprint; print(fingerprint())"
    environment = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    return done.stdout.strip()


def test_it_is_the_same_in_every_process_and_with_any_number_of_threads():
    fingerprints = {of_another_process(OPENBLAS_NUM_THREADS=count) for count in ("1", "2")}
    assert fingerprints == {fingerprint.fingerprint()} and len(fingerprint.fingerprint()) == 8


@pytest.mark.parametrize("name", ["exp", "tanh"])
def test_a_function_of_other_last_bits_gives_another(name, monkeypatch):
    before = fingerprint.fingerprint()
    whole = getattr(np, name)
    monkeypatch.setattr(np, name, lambda values: np.nextafter(whole(values), np.float32(9)))
    fingerprint.fingerprint.cache_clear()
    try:
        assert fingerprint.fingerprint() != before
    finally:
        fingerprint.fingerprint.cache_clear()


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="names a kernel of this processor")
def test_a_blas_that_adds_in_another_order_gives_another():
    if "openblas" not in str(np.show_config(mode="dicts")):
        pytest.skip("another BLAS")
    assert of_another_process(OPENBLAS_CORETYPE="Prescott") != fingerprint.fingerprint()

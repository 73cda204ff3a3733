"""One engine a process: what chooses it, and that a process without torch serves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent
HIDDEN = TESTS / "without_torch" / "hidden.py"


def run(*args, engine=None):
    env = {k: v for k, v in os.environ.items() if k != "SKLEARN_CCLM_ENGINE"}
    if engine is not None:
        env["SKLEARN_CCLM_ENGINE"] = engine
    command = [sys.executable, *map(str, args)]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=250)


def said(path, **how):
    done = run(TESTS / "serving.py", path, **how)
    assert done.returncode == 0, done.stderr
    with np.load(path) as found:
        arrays = dict(found)
    return arrays, json.loads(path.with_suffix(".json").read_text())


@pytest.mark.ci
def test_both_engines_say_the_same(tmp_path):
    by_torch, modules = said(tmp_path / "torch.npz")
    assert "torch" in modules
    by_numpy, modules = said(tmp_path / "numpy.npz", engine="numpy")
    assert not {"torch", "skorch", "tokenizers", "tqdm"} & {*modules}
    assert by_torch.keys() == by_numpy.keys()
    for name, expected in by_torch.items():
        np.testing.assert_allclose(by_numpy[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)
    with np.load(HIDDEN.parent / "recorded" / "said.npz") as recorded:
        for name, expected in recorded.items():
            np.testing.assert_allclose(by_torch[name], expected, rtol=1e-5, atol=1e-5, err_msg=name)


def test_tests_without_torch_pass():  # those that .ci/serving runs where torch is not installed
    done = run(HIDDEN)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


FIT = "from sklearn_cclm import ComposedEmbedder; ComposedEmbedder({}).fit_transform(['a text'])"


@pytest.mark.ci
@pytest.mark.parametrize(
    ("engine", "code", "message"),
    [
        ("jax", FIT.format(""), "SKLEARN_CCLM_ENGINE='jax' must be 'numpy' or 'torch'."),
        (
            "numpy",
            FIT.format("[('mlm', 'en-mlm')]"),
            'needs torch, and this process runs on numpy: pip install "sklearn-cclm[train]", and '
            "do not set SKLEARN_CCLM_ENGINE to numpy.",
        ),
        (
            "torch",
            f"import sys; sys.path.insert(0, {str(HIDDEN.parent)!r}); import hidden; "
            "hidden.hide(); " + FIT.format(""),
            "SKLEARN_CCLM_ENGINE=torch needs torch, which is not installed: pip install "
            '"sklearn-cclm[train]".',
        ),
    ],
)
def test_engines_that_cannot_be_say_why(engine, code, message):
    done = run("-W", "ignore", "-c", code, engine=engine)
    assert done.returncode == 1
    assert message in done.stderr

"""Ten minutes of mixed calls, in which memory stays flat."""

import subprocess
import sys
from pathlib import Path

import pytest
from readers import CLEAR

SOAK = Path(__file__).with_name("soak.py")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not CLEAR.exists(), reason="reads the memory in use as Linux tells it")
def test_memory_stays_flat():
    done = subprocess.run([sys.executable, SOAK], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

"""Buffers of the size of a cloud are reused; in a separate process, because the setting cannot be undone."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import numpy as np
from instseg3d_ros.memory import keep_large_buffers
if "keep" in sys.argv and not keep_large_buffers():
    sys.exit(3)
def clouds(count):
    for _ in range(count):
        held = [np.ones(2_000_000, np.float32) for _ in range(6)]
        del held
clouds(3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
clouds(20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(*words):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, timeout=60)
    if done.returncode == 3:
        pytest.skip("not glibc")
    return int(done.stdout)


def test_buffers_are_reused():
    assert page_faults("keep") < 200  # 120 buffers of 2,000 pages each

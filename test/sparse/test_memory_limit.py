"""A kernel that runs out of memory raises MemoryError, and the process continues."""

import subprocess
import sys

import pytest

from instseg3d_ros.sparse.native import kernels

PROGRAM = """
import resource
import torch
from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.native import kernels
torch.set_num_threads(2)
points = torch.rand(400_000, 3) * 20
voxelize(points[:1000], None, 0.02)
size = len(points)
held = [torch.empty(size, dtype=torch.int64) for _ in range(3)]
held += [torch.empty(size, 4, dtype=torch.int32), torch.zeros(1, dtype=torch.int64), torch.empty(size, 3), None]
codes, inverse, counts, blocks, number, positions, means = held
arguments = size, points, None, 0, None, 0.02, codes, blocks, number, positions, means, inverse, counts
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (8 << 20), -1))
try:
    kernels.call("voxelize", "voxelize_f32", *arguments)
    print("nothing was raised")
except MemoryError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
print(kernels.call("voxelize", "voxelize_f32", *arguments) > 100_000)
"""


@pytest.mark.skipif(not kernels.available("voxelize"), reason="no C++ compiler")
def test_a_kernel_that_runs_out_of_memory():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:2] == ["kernel voxelize_f32: not enough memory", "True"], done.stdout + done.stderr

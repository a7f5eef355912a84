"""The spconv engine. On a CPU spconv is right only with one OpenMP thread, so it runs in a separate process."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse import SparseTensor, SubmanifoldConv3d, voxelize

needs_spconv = pytest.mark.skipif(find_spec("spconv") is None, reason="spconv is not installed")

COMPARE = """
import torch
import spconv.pytorch as spconv
from instseg3d_ros.sparse import DownConv3d, SparseTensor, SubmanifoldConv3d, UpConv3d, voxelize

torch.manual_seed(0)
points, batch = torch.rand(900, 3) * 4 - 2, torch.randint(0, 2, (900,))
stem, down, up = SubmanifoldConv3d(3, 8), DownConv3d(8, 12), UpConv3d(12, 5)

def ours(engine):
    voxels = voxelize(points, points, 0.25, batch, engine=engine)
    x = stem(SparseTensor(voxels.features, voxels.grid))
    return voxels, up(down(x), x.grid).features

with torch.no_grad():
    voxels, expected = ours("torch")
    torch.testing.assert_close(ours("spconv")[1], expected)

    # The same by spconv's own modules and its own search for neighbours.
    peer = torch.nn.ModuleDict({
        "stem": spconv.SubMConv3d(3, 8, 3, bias=False),
        "down": spconv.SparseConv3d(8, 12, 2, stride=2, bias=False, indice_key="down"),
        "up": spconv.SparseInverseConv3d(12, 5, 2, bias=False, indice_key="down"),
    })
    peer.load_state_dict({"stem.weight": stem.weight, "down.weight": down.weight, "up.weight": up.weight})
    coords = voxels.grid.coords.clone()
    coords[:, 1:] -= coords[:, 1:].amin(0) // 2 * 2
    shape = [size + 1 for size in coords[:, 1:].amax(0).tolist()]
    x = spconv.SparseConvTensor(voxels.features, coords, shape, 2)
    torch.testing.assert_close(peer["up"](peer["down"](peer["stem"](x))).features, expected)
print("same")
"""


@needs_spconv
def test_equals_our_engine_and_its_own_modules():
    root = Path(__file__).parents[2]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", COMPARE], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "same" in done.stdout, done.stderr


def test_missing_spconv_is_named(monkeypatch):
    for name in ("spconv", "spconv.pytorch"):
        monkeypatch.setitem(sys.modules, name, None)
    voxels = voxelize(torch.rand(20, 3), torch.rand(20, 3), 0.3, engine="spconv")
    with pytest.raises(InputError, match="install spconv"):
        SubmanifoldConv3d(3, 4)(SparseTensor(voxels.features, voxels.grid))

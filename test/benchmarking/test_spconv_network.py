"""spconv's network with our weights gives our numbers. It runs in a separate process, as always on a CPU."""

from importlib.util import find_spec

import pytest
import torch

from instseg3d_ros.benchmarking.peer import Spconv
from instseg3d_ros.network.backbone import BACKBONES
from instseg3d_ros.sparse import SparseTensor, voxelize

needs_spconv = pytest.mark.skipif(find_spec("spconv") is None, reason="spconv is not installed")


@needs_spconv
def test_same_numbers_from_spconv():
    torch.manual_seed(0)
    points = torch.rand(700, 3) * torch.tensor([3.0, 2.0, 0.4]) - 1
    voxels = voxelize(points, points, 0.06)
    with Spconv() as spconv:
        for kind, build in BACKBONES.items():
            network = build(3, 8).eval()
            with torch.no_grad():
                y = network(SparseTensor(voxels.features, voxels.grid)).features
            expected = torch.from_numpy(spconv.prepare(kind, network, voxels.grid.coords, voxels.features))
            torch.testing.assert_close(y, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))
            assert spconv.run() > 0 and spconv.maps() > 0

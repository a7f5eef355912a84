"""Sets of voxels for tests of the sparse engine, (N, 4) int64 rows [scene, x, y, z]."""

import torch

from instseg3d_ros.sparse import VoxelGrid


def _random(count, low, high, scenes=1):
    xyz = torch.randint(low, high, (count, 3))
    return torch.cat((torch.randint(0, scenes, (count, 1)), xyz), 1)


def _line(count, axis):
    coords = torch.zeros(count, 4, dtype=torch.int64)
    coords[:, 1 + axis] = torch.arange(count) - count // 2
    return coords


def shapes():
    generator_state = torch.get_rng_state()
    torch.manual_seed(7)
    plane = torch.cartesian_prod(*[torch.arange(*ends) for ends in ((0, 1), (-9, 8), (-8, 9), (1, 2))])
    found = {
        "one voxel": torch.tensor([[0, -3, 5, 255]]),
        "isolated": torch.tensor([[0, 0, 0, 0], [0, 100, 0, -7], [0, -300, 600, 9], [1, 0, 0, 0]]),
        "line": _line(40, 0),
        "line across blocks": _line(40, 2) + torch.tensor([0, 255, -256, 512]),
        "plane": plane,
        "cloud": _random(300, -6, 6),
        "scenes": _random(400, -5, 6, scenes=3),
        "unequal scenes": torch.cat((_random(300, -6, 6), torch.tensor([[1, 2, 2, 2], [2, 0, 0, 0], [2, 0, 0, 1]]))),
        "far": torch.cat((_random(60, -3, 3) + torch.tensor([0, 2**20, -(2**20), 2**20]), _random(60, -3, 3))),
        "corner of blocks": _random(200, 253, 260),
    }
    torch.set_rng_state(generator_state)
    return found


def grid_of(coords):
    return VoxelGrid.from_coords(coords)[0]

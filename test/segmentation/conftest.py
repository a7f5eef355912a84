import numpy as np
import pytest
import torch

from instseg3d_ros.segmentation.state import Evidence
from instseg3d_ros.sparse import voxelize
from instseg3d_ros.sparse.native import kernels


@pytest.fixture(params=["native", "plain"])
def way(request, monkeypatch):
    """Both ways through what the mark `kernel(source)` names: compiled, and as where no compiler is."""
    (source,) = request.node.get_closest_marker("kernel").args
    if request.param == "plain":
        monkeypatch.setenv("INSTSEG3D_NATIVE", "0")
    elif not kernels.available(source):
        pytest.skip("no C++ compiler")


@pytest.fixture
def two_blocks():
    """A tall block (cluster 0) and a low block (cluster 1), both most likely of class 1; see `_two_blocks`."""
    return _two_blocks


def _two_blocks(features=0):
    """Evidence of the blocks in voxels of 5 cm, with so many features of the backbone, all zero."""
    rng = np.random.default_rng(0)
    tall = rng.uniform((2, 0, 0), (2.2, 0.2, 0.8), (900, 3))
    low = rng.uniform((2, 1, 0), (2.2, 1.2, 0.2), (400, 3))
    voxels = voxelize(torch.from_numpy(np.concatenate((tall, low)).astype(np.float32)), None, 0.05)
    is_low = voxels.positions[:, 1] > 0.5
    probability = torch.tensor([[0.1, 0.6, 0.3]]).repeat(len(is_low), 1)
    embedding = torch.where(is_low, 5.0, 0.0)[:, None].repeat(1, 4)
    columns = torch.zeros(len(is_low), features) if features else None
    return Evidence(voxels, probability, embedding, is_low.long(), features=columns)


@pytest.fixture
def seen():
    """Boxes seen by a camera at the origin: see `_seen`."""
    return _seen


def _seen(boxes, height=240, width=320, opening=70.0, pitch=20.0, eye=(0, 0, 1.2)):
    """boxes (K, 6) low and high corners in metres → points (N, 3) float32 as a camera at `eye` sees them, which looks
    along +x and down by `pitch` degrees (its place is the origin, z up), and the box (N,) that each of them lies on."""
    focal = width / 2 / np.tan(np.radians(opening / 2))
    v, u = np.mgrid[:height, :width]
    rays = np.stack((np.ones(u.shape), (width / 2 - u) / focal, (height / 2 - v) / focal), axis=-1).reshape(-1, 3)
    c, s = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
    rays = rays @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    boxes = np.asarray(boxes, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = ((boxes[:, None, i : i + 3] - eye) / rays for i in (0, 3))  # (K, N, 3)
    enter, leave = np.minimum(one, other).max(axis=2), np.maximum(one, other).min(axis=2)
    distance = np.where((enter <= leave) & (enter > 0), enter, np.inf)
    owner = distance.argmin(axis=0)
    nearest = distance[owner, np.arange(len(rays))]
    hit = np.isfinite(nearest)
    return (rays[hit] * nearest[hit, None]).astype(np.float32), owner[hit]

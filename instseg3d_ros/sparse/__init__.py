"""Sparse voxel engine: voxels, kernel maps, convolutions with autograd, nearest neighbours.

voxels = voxelize(points, colors, voxel_size=0.02)
x = SparseTensor(voxels.features, voxels.grid)
y = SubmanifoldConv3d(3, 16)(x)
z = UpConv3d(32, 16)(DownConv3d(16, 32)(y), y.grid)
"""

from instseg3d_ros.sparse.attention import attend, attend_and_update
from instseg3d_ros.sparse.convolution import DownConv3d, SubmanifoldConv3d, UpConv3d
from instseg3d_ros.sparse.grid import VoxelGrid
from instseg3d_ros.sparse.nearest import k_nearest_neighbors
from instseg3d_ros.sparse.normalization import BatchNormReLU
from instseg3d_ros.sparse.tensor import SparseTensor
from instseg3d_ros.sparse.voxelize import Voxels, voxelize

__all__ = [
    "BatchNormReLU",
    "DownConv3d",
    "SparseTensor",
    "SubmanifoldConv3d",
    "UpConv3d",
    "VoxelGrid",
    "Voxels",
    "attend",
    "attend_and_update",
    "k_nearest_neighbors",
    "voxelize",
]

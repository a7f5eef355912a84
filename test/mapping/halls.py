"""Boxes in a hall that a camera walks past, with perfect or spoilt segmentations: no network, no files."""

from dataclasses import dataclass, field

import numpy as np

from instseg3d_ros.labels import LabelClass, LabelSet
from instseg3d_ros.segmentation.result import Box, Instance, Result

LABELS = LabelSet(
    "hall",
    (LabelClass("floor", 1, (0, 0, 0), False), LabelClass("wall", 2, (9, 9, 9), False),
     LabelClass("crate", 3, (255, 0, 0)), LabelClass("cupboard", 4, (0, 255, 0))),
)  # fmt: skip
CRATE, CUPBOARD = 2, 3


def pose_at(x=0.0, y=0.0, z=1.0, yaw=0.0, pitch=0.0) -> np.ndarray:
    """(4, 4) of body axes at a place, turned left by `yaw` and down by `pitch` radians."""
    c, s, d, t = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    pose = np.eye(4)
    pose[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[d, 0, t], [0, 1, 0], [-t, 0, d]])
    pose[:3, 3] = x, y, z
    return pose


@dataclass
class Hall:
    """Boxes (low and high corner, class) on a floor before a wall 4 m ahead; `look` casts rays, exactly."""

    boxes: dict[int, tuple] = field(default_factory=dict)  # number → (low (3,), high (3,), class)
    size: tuple[int, int] = (96, 72)
    noise: float = 0.0

    def put(self, number: int, x: float, y: float, width=0.4, height=0.6, kind=CRATE, z=0.0) -> "Hall":
        half = width / 2
        self.boxes[number] = (np.array([x - half, y - half, z]), np.array([x + half, y + half, z + height]), kind)
        return self

    def look(self, pose, seed=0):
        """points (N, 3) float32 in body axes, colours, number of the box (N,): 0 floor, −1 wall."""
        width, height = self.size
        v, u = np.mgrid[:height, :width]
        rays = np.stack((np.ones(u.shape), (width / 2 - u) / width * 1.4, (height / 2 - v) / width * 1.4), -1)
        rays = rays.reshape(-1, 3)
        world = rays @ pose[:3, :3].T
        eye = pose[:3, 3]
        floor, wall = (np.array([-9, -9, -1]), np.array([9, 9, 0])), (np.array([4, -9, 0]), np.array([5, 9, 3]))
        solids = [(*floor, 0, 0), (*wall, 1, -1)]
        solids += [(low, high, kind, number) for number, (low, high, kind) in self.boxes.items()]
        best, owner = np.full(len(rays), np.inf), np.zeros(len(rays), int)
        with np.errstate(divide="ignore", invalid="ignore"):
            for low, high, _, number in solids:
                one, other = (low - eye) / world, (high - eye) / world
                enter, leave = np.minimum(one, other).max(axis=1), np.maximum(one, other).min(axis=1)
                nearer = (enter <= leave) & (enter > 0) & (enter < best)
                best[nearer], owner[nearer] = enter[nearer], number
        hit = np.isfinite(best)
        depth = best[hit] * (1 + np.random.default_rng(seed).normal(0, self.noise, hit.sum()))
        points = (rays[hit] * depth[:, None]).astype(np.float32)
        colors = np.stack([owner[hit] * 20 % 256, owner[hit] * 50 % 256, np.full(hit.sum(), 90)], 1).astype(np.uint8)
        return points, colors, owner[hit]

    def result(self, owner, score=0.8, join=(), cut=None, points=None, kinds=None) -> Result:
        """The segmentation that tells `owner`; boxes in `join` as one, box `cut` in two at the middle of its points."""
        piece = np.where(owner > 0, owner, 0)
        for number in join[1:]:
            piece[piece == number] = join[0]
        if cut is not None and (piece == cut).any():
            mine = np.flatnonzero(piece == cut)
            piece[mine[points[mine, 1] < np.median(points[mine, 1])]] = 900
        ids = np.unique(piece[piece > 0])
        instance = np.searchsorted(ids, piece) + 1
        instance[piece == 0] = 0
        semantic = np.where(owner < 0, 1, 0)
        instances = []
        for index in range(1, len(ids) + 1):
            first = owner[instance == index][0]
            kind = (kinds or {}).get(first, self.boxes[first][2])
            semantic[instance == index] = kind
            box = Box(np.zeros(3), np.ones(3), np.eye(3))
            instances.append(Instance(index, LABELS[kind].name, score, int((instance == index).sum()), box))
        confidence = np.where(instance > 0, score, 0.9).astype(np.float32)
        return Result(semantic.astype(np.int16), instance.astype(np.int32), confidence, instances)

    def show(self, world, pose, told=None, stamp=None, seed=0, **spoil):
        """One view added to a map; `told` is the pose as odometry gives it. What `observe` returns, and the owners."""
        points, colors, owner = self.look(pose, seed)
        result = self.result(owner, points=points, **spoil)
        return world.observe(points, colors, pose if told is None else told, result, stamp), owner, result

"""Reads camera poses of a folder of depth images: TUM's groundtruth.txt, or a file of sixteen numbers per image."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from instseg3d_ros.data.clouds.rgbd import is_depth_image, stamp_in
from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.rotations import interpolate, rigid

TRAJECTORY = ("groundtruth.txt", "trajectory.txt", "poses.txt")  # stamp x y z qx qy qz qw a line
GAP = 0.1  # seconds; poses are interpolated between two poses that are not farther apart


@dataclass(frozen=True)
class Posed:
    """A depth image, the pose (4, 4) of its camera's optical axes, and its time in seconds."""

    depth: Path
    pose: np.ndarray
    stamp: float


def read_trajectory(folder: Path) -> list[Posed]:
    """Depth images of a folder with their poses, in order of time. Raises InputError if no image has a pose.

    TUM's layout: depth/STAMP.png, and TRAJECTORY in the parent folder. 7-Scenes' layout: frame-N.depth.png and
    frame-N.pose.txt. ScanNet's layout: depth/N.png and pose/N.txt. Images without a finite pose are skipped.
    """
    folder = Path(folder)
    images = [path for path in sorted(folder.rglob("*.png")) if is_depth_image(path)]
    if not images:
        raise InputError(f"{folder}: no depth images; expected depth/*.png or *.depth.png")
    listing = next((folder / name for name in TRAJECTORY if (folder / name).is_file()), None)
    found = _listed(images, listing) if listing else _beside(images)
    if not found:
        where = listing or f"{images[0].stem}'s pose file"
        raise InputError(f"{folder}: no image has a pose ({where}); expected {TRAJECTORY[0]}, *.pose.txt or pose/*.txt")
    return sorted(found, key=lambda one: one.stamp)


def _listed(images: list[Path], listing: Path) -> list[Posed]:
    rows = []
    for number, line in enumerate(listing.read_text(errors="replace").splitlines(), 1):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != 8:
            raise InputError(f"{listing}:{number}: not a pose; expected stamp x y z qx qy qz qw")
        rows.append(values)
    table = np.array(sorted(rows)).reshape(-1, 8)
    table = table[np.isfinite(table).all(axis=1) & (np.linalg.norm(table[:, 4:], axis=1) > 0.5)]
    found = []
    for image in images:
        stamp = stamp_in(image.stem)
        after = int(np.searchsorted(table[:, 0], stamp)) if stamp is not None else 0
        if stamp is None or not 0 < after < len(table) or table[after, 0] - table[after - 1, 0] > GAP:
            continue
        (before, *start), (end, *stop) = table[after - 1], table[after]
        share = (stamp - before) / max(end - before, 1e-9)
        place = (1 - share) * np.array(start[:3]) + share * np.array(stop[:3])
        found.append(Posed(image, rigid(place, interpolate(start[3:], stop[3:], share)), stamp))
    return found


def _beside(images: list[Path]) -> list[Posed]:
    found = []
    for number, image in enumerate(images):
        stem = re.sub(r"depth", "pose", image.stem)
        options = (image.with_name(f"{stem}.txt"), image.parent.with_name("pose") / f"{image.stem}.txt")
        path = next((path for path in options if path.is_file() and path.stem != image.name), None)
        if path is None:
            continue
        try:
            matrix = np.array(path.read_text().split(), float).reshape(4, 4)
        except ValueError:
            raise InputError(f"{path}: not a pose; expected sixteen numbers, camera to world") from None
        if np.isfinite(matrix).all():
            digits = re.findall(r"\d+", image.stem)
            found.append(Posed(image, matrix, int(digits[-1]) / 30 if digits else number / 30))
    return found

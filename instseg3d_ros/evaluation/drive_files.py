"""Reads the drives that `generate --bag --truth` writes, and adds errors like those of odometry to their poses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping.pose import from_twist

SHIFT, TURN = 0.02, np.deg2rad(1.0)  # σ of the length (metres) and angle of a pose's error, drawn for each frame
DRIFT = 0.01  # fraction of the distance travelled
BODY = np.array([[0.0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])  # body axes → optical axes


@dataclass(frozen=True)
class Step:
    """One frame: points (N, 3) float32 finite in body axes, colors (N, 3) uint8, true semantic and instance (N,), and
    the true pose (4, 4) of the body axes."""

    points: np.ndarray
    colors: np.ndarray
    semantic: np.ndarray
    instance: np.ndarray
    pose: np.ndarray


@dataclass(frozen=True)
class Drive:
    """A drive. `steps()` reads the frames from the bag; `moved` (K,): ids of objects that move at frame `moved_at`."""

    name: str
    labels: LabelSet
    steps: Callable[[], Iterator[Step]]
    frames: int
    moved: np.ndarray
    moved_at: int


def read_drive(folder: Path, labels: LabelSet) -> Drive:
    """Read a bag with truth.npz in its folder. Raises InputError if truth.npz is missing or does not match the bag."""
    path = Path(folder) / "truth.npz"
    try:
        with np.load(path, allow_pickle=False) as content:
            truth = dict(content)
        frames = len(truth["camera"])
        names = tuple(truth["names"].tolist())
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path}: {error}; write drives with generate --bag --truth") from None
    if names != labels.names:
        raise InputError(
            f"{path}: its classes are not those of {labels.name}; write the drive again with generate --bag"
        )

    def steps() -> Iterator[Step]:
        from instseg3d_ros.data.clouds.bags import Bag

        with Bag(folder) as bag:
            clouds = (recorded.cloud for recorded in bag.messages() if recorded.cloud is not None)
            for number, cloud in zip(range(frames), clouds):
                x, y, z = cloud.points.T
                points = np.stack((z, -x, -y), axis=1)
                good = np.isfinite(points).all(axis=1)
                semantic, instance = (truth[name][number].ravel()[good] for name in ("semantic", "instance"))
                colors = np.zeros(points.shape, np.uint8) if cloud.colors is None else cloud.colors
                yield Step(points[good], colors[good], semantic, instance, truth["camera"][number] @ BODY)

    moved = truth.get("moved", np.zeros(0, np.int32))
    return Drive(Path(folder).name, labels, steps, frames, moved, int(truth.get("moved_at", frames)))


def find_drives(folder: Path) -> list[Path]:
    """`folder` and its subfolders that contain a bag and its truth. Raises InputError if there are none."""
    folder = Path(folder)
    drives = [path for path in (folder, *sorted(folder.glob("*"))) if (path / "truth.npz").is_file()]
    if not drives:
        raise InputError(f"{folder}: no drive with a truth.npz; write some with generate --bag --truth --kind flat")
    return drives


def exact(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Poses without errors."""
    return lambda pose: pose


def erring(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Poses with independent errors of SHIFT and TURN about the sensor."""
    rng = np.random.default_rng([seed, 1])

    def spoil(pose: np.ndarray) -> np.ndarray:
        error = from_twist(np.concatenate((rng.normal(0, TURN / 3**0.5, 3), rng.normal(0, SHIFT / 3**0.5, 3))))
        out = pose.copy()
        out[:3, :3], out[:3, 3] = error[:3, :3] @ pose[:3, :3], pose[:3, 3] + error[:3, 3]
        return out

    return spoil


def drifting(seed: int) -> Callable[[np.ndarray], np.ndarray]:
    """Poses of odometry with an error of DRIFT times the distance travelled, in a constant random direction."""
    way = np.random.default_rng([seed, 2]).normal(size=2)
    way /= np.linalg.norm(way)
    state: list[Any] = [0.0, None]  # distance travelled in metres, last position

    def spoil(pose: np.ndarray) -> np.ndarray:
        if state[1] is not None:
            state[0] += float(np.linalg.norm(pose[:3, 3] - state[1]))
        state[1] = pose[:3, 3].copy()
        out = pose.copy()
        out[:2, 3] += DRIFT * state[0] * way
        return out

    return spoil


POSES = {"exact poses": exact, "2 cm and 1°": erring, "drift 1 %": drifting}

"""NYU Depth v2, the labelled set: nyu_depth_v2_labeled.mat (MATLAB 7.3, an HDF5 file) and splits.mat.

MATLAB stores arrays in column-major order, so HDF5 shows every array with reversed axes: images (1449,3,640,480) uint8,
depths (1449,640,480) metres, labels and instances (1449,640,480); names (1,894) are references to arrays of characters.
An object is a pair of label and instance number. Depth is converted to points in the camera's body axes (x forward,
y left, z up), without levelling. The data set's 654 test frames become the split `val`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import IGNORE, NYUV2_19
from instseg3d_ros.messages.axes import BODY_FROM_OPTICAL

if TYPE_CHECKING:
    import h5py

# Intrinsics of the colour camera in pixels; the depth of the labelled set is registered to it.
FX, FY, CX, CY = 518.857901, 519.469611, 325.582449, 253.736166
FIELDS = ("images", "depths", "labels", "instances", "names")
PARTS = (("train", "trainNdxs"), ("val", "testNdxs"))
BACKGROUND = len(NYUV2_19) - 1
ALIASES = {"nightstand": "night stand", "garbage can": "garbage bin", "tv": "television"}


@dataclass(frozen=True)
class FrameJob:
    """Convert frame `index` (from 0) of the file; `classes[label]` is the class index of the file's label number."""

    name: str
    mat: Path
    index: int
    target: Path
    classes: tuple[int, ...]

    def run(self) -> list[str]:
        """Read, convert and write a frame; see `preparing.Job`."""
        frame_scene(*read_frame(self.mat, self.index), np.array(self.classes), self.name).write(self.target)
        return []


def jobs(mat: Path, splits: Path, out: Path) -> list[FrameJob]:
    """A job for each frame of both splits. Raises InputError if either file is missing or invalid."""
    with _open(mat) as file:
        classes = class_indices(read_names(file, mat))
        count = len(file["labels"])
    result = []
    for part, indices in read_splits(splits).items():
        for number in indices:
            if not 1 <= number <= count:
                raise InputError(
                    f"{splits}: {part} lists frame {number}, but {mat} has {count} frames; take both files from one "
                    "release"
                )
            name = f"nyuv2_{number:04d}"
            result.append(FrameJob(name, Path(mat), number - 1, Path(out) / part / f"{name}.npz", classes))
    return result


@contextmanager
def _open(path: Path) -> Iterator[h5py.File]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            missing = [name for name in FIELDS if name not in file]
            if missing:
                raise InputError(f"{path}: lacks {', '.join(missing)}; expected nyu_depth_v2_labeled.mat")
            yield file
    except OSError as error:
        text = "no such file" if not Path(path).exists() else " ".join(str(error).split())[:160]
        raise InputError(f"{path}: {text}; expected nyu_depth_v2_labeled.mat (MATLAB 7.3)") from None


def read_names(file: h5py.File, path: Path) -> list[str]:
    """Class names in the file's order; label n has the n-th name, counted from 1."""
    try:
        return ["".join(map(chr, file[reference][()].reshape(-1))) for reference in file["names"][()].reshape(-1)]
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: {error!r}; expected 'names' to be references to arrays of characters") from None


def class_indices(names: list[str]) -> tuple[int, ...]:
    """Class index of each label number. Label 0 is unlabelled; other names than the nineteen are background."""
    known = {name: index for index, name in enumerate(NYUV2_19.names)}
    indices = [IGNORE]
    for name in names:
        key = " ".join(name.lower().replace("_", " ").split())
        indices.append(known.get(ALIASES.get(key, key), BACKGROUND))
    return tuple(indices)


def read_splits(path: Path) -> dict[str, list[int]]:
    """Frame numbers, counted from 1, of the splits train and val (the data set's test frames)."""
    import h5py
    from scipy.io import loadmat

    fields = [field for _, field in PARTS]
    try:
        if h5py.is_hdf5(path):
            with h5py.File(path, "r") as file:
                content = {field: file[field][()] for field in fields}
        else:
            content = loadmat(path, variable_names=fields)
        return {part: np.asarray(content[field]).reshape(-1).astype(int).tolist() for part, field in PARTS}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; expected splits.mat") from None
    except KeyError as error:
        raise InputError(f"{path}: lacks {error}; expected splits.mat with trainNdxs and testNdxs") from None
    except Exception as error:  # loadmat raises many kinds of exceptions for a damaged file
        raise InputError(f"{path}: {' '.join(str(error).split())[:160]}; expected splits.mat") from None


def read_frame(path: Path, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read a frame: image (H,W,3) uint8, depth (H,W) float32 metres, label (H,W), instance (H,W)."""
    file = _keep_open(str(path), os.getpid())
    try:
        image, depth, label, instance = (file[name][index] for name in FIELDS[:4])
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise InputError(f"{path}: frame {index + 1} cannot be read ({' '.join(str(error).split())[:160]})") from None
    return image.transpose(2, 1, 0), depth.T, label.T, instance.T


@lru_cache(maxsize=1)
def _keep_open(path: str, process: int) -> h5py.File:
    """Open the file once per process, since each opening reads its index; a forked process opens it again."""
    import h5py

    return h5py.File(path, "r")


def frame_scene(
    image: np.ndarray,
    depth: np.ndarray,
    label: np.ndarray,
    instance: np.ndarray,
    classes: np.ndarray,
    name: str = "",
) -> Scene:
    """Labelled cloud of the pixels with depth. Arrays as from `read_frame`, `classes` from `class_indices`."""
    if not image.shape[:2] == depth.shape == label.shape == instance.shape:
        shapes = ", ".join(str(array.shape) for array in (image, depth, label, instance))
        raise InputError(f"{name}: image, depth, labels and instances are {shapes}; they must agree")
    if label.max(initial=0) >= len(classes):
        raise InputError(
            f"{name}: label {label.max()}, but the file names only {len(classes) - 1} labels; the file is broken"
        )
    row, column = np.nonzero(np.isfinite(depth) & (depth > 0))
    if not len(row):
        raise InputError(f"{name}: no pixel has depth; the frame is broken")
    forward = depth[row, column].astype(np.float64)
    optical = np.stack([(column - CX) / FX * forward, (row - CY) / FY * forward, forward], axis=1)
    semantic = classes[label[row, column].astype(np.int64)]
    thing = (semantic != IGNORE) & (semantic != BACKGROUND) & (instance[row, column] > 0)
    pair = label[row, column].astype(np.int64) * 65536 + instance[row, column]
    ids = np.zeros(len(row), np.int32)
    ids[thing] = np.unique(pair[thing], return_inverse=True)[1].reshape(-1) + 1
    camera = np.eye(4)
    camera[:3, :3] = BODY_FROM_OPTICAL
    pixel = (row * depth.shape[1] + column).astype(np.int32)
    return Scene(
        (optical @ BODY_FROM_OPTICAL.T).astype(np.float32),
        np.ascontiguousarray(image[row, column]),
        semantic.astype(np.int16),
        ids,
        name,
        {"camera": camera, "pixel": pixel, "shape": np.array(depth.shape)},
    )

"""Write a small nyu_depth_v2_labeled.mat and splits.mat: HDF5 with reversed axes and references to names."""

import h5py
import numpy as np
from scipy.io import savemat

NAMES = ["book", "chair", "night stand", "wall", "Garbage bin", "sofa"]
CHAIR, NIGHT_STAND, WALL, BIN, SOFA = 2, 3, 4, 5, 6


def frame(seed, height=60, width=80):
    """image (H,W,3), depth, label, instance (H,W): a wall, two chairs and a sofa, a strip of no label and no depth."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    depth = np.full((height, width), 3.0, np.float32)
    label = np.full((height, width), WALL, np.uint16)
    instance = np.ones((height, width), np.uint8)
    shift = int(rng.integers(0, 5))
    for kind, number, rows, columns, near in (
        (CHAIR, 1, (20, 40), (5, 20), 1.0),
        (CHAIR, 2, (20, 40), (25, 40), 1.3),
        (SOFA, 1, (20, 45), (45, 70), 1.8),  # instance numbers begin again for each class
        (CHAIR, 0, (50, 55), (10, 20), 1.1),  # a chair without an instance
    ):
        where = (slice(*rows), slice(columns[0] + shift, columns[1] + shift))
        depth[where] = near + rng.normal(0, 0.002, depth[where].shape)
        label[where], instance[where] = kind, number
    label[:, -3:], instance[:, -3:] = 0, 0
    depth[:2] = 0
    return image, depth, label, instance


def write_nyuv2(folder, frames=5, train=2):
    """Both files; the first `train` frames are for training, the rest for testing."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = [frame(seed) for seed in range(frames)]
    images, depths, labels, instances = (np.stack(arrays) for arrays in zip(*parts))
    with h5py.File(folder / "nyu_depth_v2_labeled.mat", "w", userblock_size=512) as file:
        file["images"] = images.transpose(0, 3, 2, 1)  # MATLAB writes columns first
        for name, stack in (("depths", depths), ("labels", labels), ("instances", instances)):
            file[name] = stack.transpose(0, 2, 1)
        references = np.zeros((1, len(NAMES)), h5py.ref_dtype)
        for number, name in enumerate(NAMES):
            text = file.create_dataset(f"#refs#/{number}", data=np.array([[ord(letter)] for letter in name], np.uint16))
            references[0, number] = text.ref
        file.create_dataset("names", data=references, dtype=h5py.ref_dtype)
    with open(folder / "nyu_depth_v2_labeled.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, made for a test".ljust(124) + b"\x00\x02IM")
    numbers = np.arange(1, frames + 1, dtype=np.uint16)[:, None]
    savemat(folder / "splits.mat", {"trainNdxs": numbers[:train], "testNdxs": numbers[train:]})
    return folder / "nyu_depth_v2_labeled.mat", folder / "splits.mat"

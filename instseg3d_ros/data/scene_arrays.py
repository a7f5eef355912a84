"""Converts arrays of labelled clouds written by other programs to the types that training and evaluation use.

Each function raises InputError with a text that names the wrong value and the expected values. The caller adds the name
of the file.
"""

from __future__ import annotations

from collections.abc import Reversible

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import IGNORE
from instseg3d_ros.messages.cloud import near_origin
from instseg3d_ros.messages.point_colors import ColorError, to_bytes

# Names in lower case, without underscores and CloudCompare's "scalar_"; the first name that is present is used.
SEMANTIC = ("semantic", "label", "labels", "semantics", "semanticlabel", "semlabel", "class", "classid", "classlabel",
            "classification", "category")  # fmt: skip
INSTANCE = ("instance", "instances", "instanceid", "instancelabel", "inslabel", "object", "objectid")
UNLABELLED = (-1, -100, 255, 65535)  # values for unlabelled points, unless they are the index of a class
COARSE = 131_072.0  # metres; beyond, float32 coordinates are rounded to more than a centimetre
LARGEST = 2**31 - 1


def find_name(names: Reversible[str], wanted: tuple[str, ...]) -> str | None:
    """The name in `names` that matches a name in `wanted`; None if there is no match."""
    plain = {name.lower().removeprefix("scalar_").replace("_", "").replace(" ", ""): name for name in reversed(names)}
    return next((plain[name] for name in wanted if name in plain), None)


def points_of(points: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(N, 3) float32 points and the origin that was subtracted from them; None if none was subtracted."""
    if points.ndim != 2 or points.shape[1] not in (3, 4) or points.dtype.kind not in "fiu":
        raise InputError(f"points have shape {points.shape} and type {points.dtype}; expected (N, 3) numbers")
    points = points[:, :3]
    near, origin = near_origin(points)
    if points.dtype == np.float32 and origin is not None and np.abs(origin).max() > COARSE:
        far = np.abs(origin).max()
        raise InputError(
            f"points {far:,.0f} m from zero are stored as float32, which rounds them to "
            f"{np.spacing(np.float32(far)):g} m; "
            "write float64, or subtract a common offset first"
        )
    return near, origin


def colors_of(colors: np.ndarray | None) -> np.ndarray | None:
    """Convert colours (N, 3), (N, 4) with alpha, or grey (N,) or (N, 1) to (N, 3) uint8."""
    if colors is None:
        return None
    if colors.ndim == 1 or colors.shape[1:] == (1,):
        colors = np.repeat(colors.reshape(-1, 1), 3, axis=1)
    if colors.ndim != 2 or colors.shape[1] not in (3, 4):
        raise InputError(f"colors have shape {colors.shape}; expected (N, 3)")
    try:
        return to_bytes(colors[:, :3])
    except ColorError as error:
        raise InputError(str(error)) from None


def semantic_of(values: np.ndarray, classes: int | None = None) -> np.ndarray:
    """(N,) int16 class index, −1 unlabelled; `classes` is the number of classes, None if unknown."""
    whole = _whole(values, "semantic", IGNORE)
    low, high = int(whole.min(initial=0)), int(whole.max(initial=0))
    most = classes if classes is not None else min(UNLABELLED[2:])
    if low >= 0 and high < most:
        return whole.astype(np.int16, copy=False)
    unlabelled = np.isin(whole, UNLABELLED) & ((whole < 0) | (whole >= most))
    wrong = whole[~unlabelled & ((whole < 0) | (whole >= (most if classes is not None else 2**15)))]
    if len(wrong):
        expected = "0 or more" if classes is None else f"0 to {classes - 1}, as labels.yaml has {classes} classes"
        raise InputError(
            f"semantic has the value {int(wrong[0])} ({len(wrong)} points); expected {expected}, or −1 for unlabelled"
        )
    return np.where(unlabelled, IGNORE, whole).astype(np.int16)


def instance_of(values: np.ndarray) -> np.ndarray:
    """(N,) int32 id of the object, 0 for none. If int32 cannot hold the ids, they become 1, 2 … in their order."""
    if values.dtype == np.uint64 and values.max(initial=0) > np.uint64(LARGEST):  # hashes that int64 cannot hold
        values = np.where(values == np.iinfo(np.uint64).max, np.uint64(0), values)
        numbers, values = np.unique(values, return_inverse=True)
        values = values.reshape(-1) + (numbers[0] != 0)
    whole = _whole(values, "instance", 0)
    none = [LARGEST * 2 + 1]  # −1 that was converted to uint32
    if values.dtype.kind == "u" and values.dtype.itemsize < 4:
        none.append(int(np.iinfo(values.dtype).max))
    if whole.min(initial=0) < 0 or whole.max(initial=0) >= min(none):
        whole = np.where((whole < 0) | np.isin(whole, none), 0, whole)
    if whole.max(initial=0) > LARGEST:
        numbers, whole = np.unique(whole, return_inverse=True)
        whole = whole.reshape(-1) + (numbers[0] != 0)
    return whole.astype(np.int32, copy=False)


def _whole(values: np.ndarray, name: str, instead_of_nan: int) -> np.ndarray:
    """Convert whole numbers (N,) or (N, 1) to integers (N,); NaN becomes `instead_of_nan`."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "fiub":
        raise InputError(f"{name} has shape {values.shape} and type {values.dtype}; expected (N,) integers")
    if values.dtype.kind != "f":
        return values if values.dtype.kind == "i" else values.astype(np.int64)
    filled = np.where(np.isnan(values), instead_of_nan, values).astype(np.float64)
    wrong = filled != np.rint(filled)
    if wrong.any() or not np.isfinite(filled).all():
        value = filled[wrong | ~np.isfinite(filled)][0]
        raise InputError(f"{name} has the value {value:g}; expected whole numbers")
    return filled.astype(np.int64)


def check_one_class_each(semantic: np.ndarray, instance: np.ndarray, names: tuple[str, ...] = ()) -> None:
    """Raise InputError if an object has points of two classes; unlabelled points are ignored."""
    rows = np.flatnonzero((instance > 0) & (semantic >= 0))
    if not len(rows):
        return
    number, kind = instance[rows], semantic[rows]
    if number.max() > 4 * len(instance) + 1000:
        number = np.unique(number, return_inverse=True)[1].reshape(-1)
    of_object = np.zeros(int(number.max()) + 1, np.int16)
    of_object[number] = kind
    wrong = np.flatnonzero(of_object[number] != kind)
    if not len(wrong):
        return
    one = instance[rows[wrong[0]]]
    kinds, counts = np.unique(semantic[(instance == one) & (semantic >= 0)], return_counts=True)
    parts = [f"{names[k] if k < len(names) else k} ({n} points)" for k, n in zip(kinds.tolist(), counts.tolist())]
    raise InputError(
        f"instance {one} has the classes {' and '.join(parts)}; an object has one class: "
        "number the objects of all classes together, 1, 2 …"
    )

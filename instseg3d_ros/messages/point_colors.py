"""Colours in cloud files: finds the columns of the colour and converts them to bytes."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.messages.colors import unpack_colors

PACKED = ("rgb", "rgba")
TRIPLES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
SPLAT = ("f_dc_0", "f_dc_1", "f_dc_2")  # Gaussian splats: the constant term of the spherical harmonics
SPLAT_SCALE = 0.28209479177387814  # 1 / (2 √π), the constant harmonic
ROUNDING = 0.01  # excess below 0 and above 1 or 255 that is treated as a rounding error


class ColorError(ValueError):
    """Raised for numbers that cannot be colours; the message is part of a sentence."""


def to_bytes(colors: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 from bytes, from integers up to 255 or 65535, or from floats up to 1, 255 or 65535.

    The largest value decides which of these ranges is used; NaN becomes 0. Raises ColorError for other values.
    """
    if colors.dtype == np.uint8:
        return colors
    if colors.dtype.kind not in "fiu":
        raise ColorError(f"colours have type {colors.dtype}; expected integers or floats")
    values = np.nan_to_num(colors.astype(np.float64), posinf=0, neginf=0)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -ROUNDING or high > 65535:
        raise ColorError(f"colours range from {low:g} to {high:g}; expected 0 to 1, to 255 or to 65535")
    if colors.dtype.kind == "f" and high <= 1 + ROUNDING:
        values *= 255
    elif high > 255 + ROUNDING:
        values = np.floor(values / 256)
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def find_colors(columns: dict[str, np.ndarray]) -> tuple[np.ndarray | None, tuple[str, ...], str]:
    """Colours among a cloud's columns (names in any case): (N, 3) uint8 or None, the names used, and a remark.

    If a colour column cannot be understood, the cloud is read without colour, and the remark names the column.
    """
    by_name = {name.lower(): name for name in reversed(columns)}
    problem = ""
    for name in PACKED:
        if name not in by_name:
            continue
        column = columns[by_name[name]]
        if column.dtype.itemsize == 4 and column.ndim == 1:
            bits = np.ascontiguousarray(column).view(column.dtype.byteorder + "u4")
            return unpack_colors(bits.astype("<u4")), (by_name[name],), ""
        problem = problem or f"field '{by_name[name]}' has type {column.dtype}; packed colour has four bytes"
    for triple in (*TRIPLES, SPLAT):
        present = [by_name[name] for name in triple if name in by_name]
        if len(present) < 3:
            if present and triple in TRIPLES[:2]:
                problem = problem or f"{' and '.join(present)} without the other channels"
            continue
        try:
            values = np.stack([columns[name] for name in present], axis=1)
            if triple == SPLAT:
                values = np.clip(0.5 + SPLAT_SCALE * values.astype(np.float64), 0, 1)
            return to_bytes(values), tuple(present), ""
        except ColorError as error:
            problem = problem or str(error)
    return None, (), f"read without colour: {problem}" if problem else ""

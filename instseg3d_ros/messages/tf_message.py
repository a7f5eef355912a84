"""Decodes a serialized tf2_msgs/TFMessage (CDR), because tf2_msgs cannot be installed from PyPI."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from instseg3d_ros.errors import InputError

TYPE_HASH = "e369d0f05a23ae52508854b66f6aa0437f3449d652e8cbf22d5abe85d020f087"  # RIHS01 of tf2_msgs/msg/TFMessage


@dataclass(frozen=True)
class StampedTransform:
    """parent ← child at `stamp` nanoseconds; quaternion x y z w."""

    parent: str
    child: str
    stamp: int
    translation: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]


def decode_transforms(data: bytes) -> list[StampedTransform]:
    """All transforms of a message. Raises InputError if the bytes end early."""
    if len(data) < 8:
        raise InputError(f"transform message of {len(data)} bytes; expected at least 8")
    order = "<" if data[1] & 1 else ">"
    place = 4  # alignment is relative to the end of the four bytes of encapsulation

    def read(kinds: str, size: int) -> tuple[Any, ...]:
        nonlocal place
        place += -(place - 4) % size
        values = struct.unpack_from(order + kinds, data, place)
        place += struct.calcsize("=" + kinds)
        return values

    def text() -> str:
        nonlocal place
        (length,) = read("I", 4)
        if place + length > len(data):
            raise struct.error
        place += length
        return data[place - length : place].rstrip(b"\0").decode("utf-8", "replace")

    transforms = []
    try:
        (count,) = read("I", 4)
        for _ in range(count):
            seconds, nanoseconds = read("iI", 4)
            parent, child = text(), text()
            values = read("7d", 8)
            transforms.append(
                StampedTransform(parent, child, seconds * 10**9 + nanoseconds, values[:3], values[3:])
            )  # fmt: skip
    except struct.error:
        raise InputError(f"transform message of {len(data)} bytes ends early") from None
    return transforms

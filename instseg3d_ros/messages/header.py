"""Reads stamp and frame of a serialized message that begins with a std_msgs/Header."""

from __future__ import annotations

import struct


def read_header(data: bytes) -> tuple[int, str]:
    """(nanoseconds, frame_id) from CDR bytes; (0, "") if the bytes are too few or frame_id is not text."""
    try:
        order = "<" if data[1] & 1 else ">"
        seconds, nanoseconds, length = struct.unpack_from(f"{order}iII", data, 4)
        return seconds * 10**9 + nanoseconds, bytes(data[16 : 16 + length]).rstrip(b"\0").decode()
    except (IndexError, struct.error, UnicodeDecodeError):
        return 0, ""

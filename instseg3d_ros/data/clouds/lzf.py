"""LZF, the compression of binary_compressed PCD files."""

from __future__ import annotations


def decompress(data: bytes, size: int) -> bytearray:
    """Undo LZF: runs of literal bytes (control < 32) and back references of 3 to 264 bytes. ValueError if malformed."""
    out = bytearray()
    position, end = 0, len(data)
    try:
        while position < end:
            control = data[position]
            position += 1
            if control < 32:
                out += data[position : position + control + 1]
                position += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += data[position]
                position += 1
            length += 2
            distance = ((control & 31) << 8) + data[position] + 1
            position += 1
            start = len(out) - distance
            if start < 0 or len(out) + length > size:
                break
            if distance >= length:
                out += out[start : start + length]
            else:  # the reference overlaps its own output, which repeats a pattern
                out += (out[start:] * (length // distance + 1))[:length]
    except IndexError:
        pass
    if len(out) != size:
        raise ValueError(f"the compressed block gives {len(out)} bytes instead of {size}")
    return out

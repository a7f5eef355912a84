"""Large buffers are kept for the next cloud instead of being given back to the system after each.

glibc maps every allocation above 128 kB anew and unmaps it when it is freed; the system then has to clear some forty
megabytes of pages for each cloud. Measured at 640 x 480: 21 to 26 of 48 ms of processor time a cloud, 2 without.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of malloc.h
LARGEST = 128 << 20  # bytes; above, an allocation is mapped as before
LARGEST_OLD = 32 << 20  # what older glibc accept
KEPT = 256 << 20  # free bytes that stay with the process


def keep_large_buffers() -> bool:
    """True where the C library is glibc and took the settings; elsewhere nothing changes."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    if not (mallopt(M_MMAP_THRESHOLD, LARGEST) or mallopt(M_MMAP_THRESHOLD, LARGEST_OLD)):
        return False
    # One arena: what the thread of the network frees, that of the transport can use.
    return bool(mallopt(M_TRIM_THRESHOLD, KEPT) and mallopt(M_ARENA_MAX, 1))

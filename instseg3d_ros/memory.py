"""Keeps the memory of one cloud for the next instead of returning it to the system.

glibc maps every allocation above 128 kB anew and unmaps it when it is freed, so the system clears some forty megabytes
of pages for each cloud: at 640 x 480, 21 to 26 of 48 ms of processor time. The commands of this package change that for
their process. `import instseg3d_ros` does not; call `keep_large_buffers()` in a program of your own.
"""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of malloc.h
LARGEST = 128 << 20  # bytes; a larger allocation is mapped as before
LARGEST_OLD = 32 << 20  # the most that older versions of glibc accept
KEPT = 256 << 20  # free bytes that stay with the process


def keep_large_buffers(one_arena: bool = False) -> bool:
    """True where the C library is glibc and took the settings; elsewhere nothing changes.

    one_arena: all threads share one heap, so that memory that one thread frees serves another. Environment variables
    that set the same limits (MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_, MALLOC_ARENA_MAX) have precedence.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = [
        ("MALLOC_MMAP_THRESHOLD_", M_MMAP_THRESHOLD, LARGEST),
        ("MALLOC_TRIM_THRESHOLD_", M_TRIM_THRESHOLD, KEPT),
    ]
    settings += [("MALLOC_ARENA_MAX", M_ARENA_MAX, 1)] if one_arena else []
    done = True
    for variable, option, value in settings:
        if variable not in os.environ:
            taken = mallopt(option, value)
            if not taken and option == M_MMAP_THRESHOLD:
                taken = mallopt(option, LARGEST_OLD)
            done = done and bool(taken)
    return done

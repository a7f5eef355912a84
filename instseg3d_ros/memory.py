"""Configures glibc to reuse the memory of a cloud for the next cloud, instead of returning it to the system.

By default, glibc maps each allocation above 128 kB anew and unmaps it when it is freed. The system then clears some
forty megabytes of pages for each cloud: at 640 x 480, 21 to 26 of 48 ms of processor time. The commands of this package
change this setting for their process. `import instseg3d_ros` does not change it; call `keep_large_buffers()` in your
own program.
"""

from __future__ import annotations

import ctypes
import os

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # constants of malloc.h
LARGEST = 128 << 20  # bytes; larger allocations are still mapped anew
LARGEST_OLD = 32 << 20  # bytes; the largest value that older versions of glibc accept
KEPT = 256 << 20  # free bytes that the process does not return to the system


def keep_large_buffers(one_arena: bool = False) -> bool:
    """Set the limits of glibc's allocator. Returns False if the C library is not glibc or refuses a limit.

    one_arena: all threads share a heap, so that a thread can use memory that another thread has freed. Environment
    variables that set the same limits (MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_, MALLOC_ARENA_MAX) have
    precedence.
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

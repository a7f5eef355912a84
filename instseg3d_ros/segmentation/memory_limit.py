"""Estimates the memory that a cloud needs before it is allocated.

Memory grows with the number of voxels on all levels of the network. On a surface each level has about a quarter of the
voxels of the finer level; if the points are far apart, each level has as many voxels as the finest.
"""

from __future__ import annotations

import resource
from pathlib import Path

import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.network.backbone import LEVELS
from instseg3d_ros.sparse import Voxels

BYTES = 1100  # per voxel of each level, for a network of width 16: measured peaks are 900 to 1,100
ALWAYS = 256 << 20  # bytes; smaller estimates are not checked


def check_memory(voxels: Voxels, num_points: int, width: int) -> None:
    """Raise InputError if these voxels need more memory than is free. width: the network's m."""
    sites, grid = len(voxels.grid), voxels.grid
    for _ in range(LEVELS - 1):
        grid = grid.down()[0]
        sites += len(grid)
    needed = BYTES * sites * max(1.0, width / 16)
    free = free_bytes(voxels.grid.device) if needed > ALWAYS else None
    if free is None or needed <= free:
        return
    count, size = len(voxels.grid), voxels.voxel_size
    extent = " × ".join(f"{length:.3g}" for length in (voxels.positions.amax(0) - voxels.positions.amin(0)).tolist())
    raise InputError(
        f"the cloud's {num_points:,} points over {extent} m fill {count:,} voxels of {size:g} m"
        f" ({num_points / count:.1f} points per voxel), which need about {needed / 1e9:.1f} GB of memory;"
        f" {free / 1e9:.1f} GB are free. Use larger voxels, a smaller max_range, or a part of the cloud"
    )


def free_bytes(device: torch.device) -> float | None:
    """Bytes that this process can still allocate on a device; None if unknown."""
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + unused
    limits = [_of_the_machine(), _of_the_container(), _of_the_process()]
    return min((limit for limit in limits if limit is not None), default=None)


def _of_the_machine() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None


def _of_the_container() -> float | None:
    """Free bytes of the control group, including its page cache; None without a limit."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        if limit == "max":
            return None
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        used = int((folder / "memory.current").read_text()) - int(stat.get("inactive_file", 0))
        return float(int(limit) - used)
    except (OSError, ValueError):
        return None


def _of_the_process() -> float | None:
    """Free bytes below the limit of `ulimit -v`; None without a limit."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        return float(limit - int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize())
    except OSError:
        return None

"""Shared memory large enough for clouds, unless the user has chosen a transport.

Fast DDS comes with a shared-memory segment of 512 kB; a cloud has ten megabytes, and most are lost on their way to a
best-effort reader. `config/fastdds.xml` makes the segment 64 MiB. The segment is the writer's: drivers need it too.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from instseg3d_ros.paths import share

PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"  # the name that Jazzy reads
MODE = "RMW_FASTRTPS_PUBLICATION_MODE"  # asynchronous: publishing a cloud takes 2 ms of the node's time instead of 8
CHOSEN = (PROFILE, "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")
NEEDED = 128 << 20  # bytes of shared memory that must be free: ours and the driver's segment


def profile_path() -> Path:
    """The profile that comes with this package."""
    return share("config") / "fastdds.xml"


def large_cloud_profile() -> dict[str, str]:
    """Environment to add, empty where the user has chosen a transport or the machine has too little shared memory."""
    if any(os.environ.get(name) for name in CHOSEN):
        return {}
    if "fastrtps" not in os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"):
        return {}
    profile = profile_path()
    try:
        enough = shutil.disk_usage("/dev/shm").free >= NEEDED  # a container often has 64 MB: better small than dead
    except OSError:
        enough = False
    if not (enough and profile.is_file()):
        return {}
    return {PROFILE: str(profile), MODE: os.environ.get(MODE, "ASYNCHRONOUS")}


def use_large_cloud_profile() -> None:
    """To be called before the first ROS context is made."""
    os.environ.update(large_cloud_profile())

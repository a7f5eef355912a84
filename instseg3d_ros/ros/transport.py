"""Configures Fast DDS with enough shared memory for clouds, unless the user has chosen a transport.

The default shared-memory segment of Fast DDS has 512 kB. A cloud has about ten megabytes, so a best-effort reader loses
most clouds. `config/fastdds.xml` sets the segment to 64 MiB. Each writer allocates a segment, so camera drivers need
this profile as well.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from instseg3d_ros.paths import share

PROFILE = "FASTRTPS_DEFAULT_PROFILES_FILE"  # the name that Jazzy reads
MODE = "RMW_FASTRTPS_PUBLICATION_MODE"  # asynchronous: publishing a cloud takes 2 ms of the node's time instead of 8
CHOSEN = (PROFILE, "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")
NEEDED = 128 << 20  # bytes of shared memory that must be free for the segments of this node and of the driver


def profile_path() -> Path:
    """Path of this package's Fast DDS profile."""
    return share("config") / "fastdds.xml"


def large_cloud_profile() -> dict[str, str]:
    """Environment variables to set; empty if the user has chosen a transport or shared memory is too small."""
    if any(os.environ.get(name) for name in CHOSEN):
        return {}
    if "fastrtps" not in os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"):
        return {}
    profile = profile_path()
    try:
        enough = (
            shutil.disk_usage("/dev/shm").free >= NEEDED
        )  # containers often have only 64 MB, in which a large segment fails
    except OSError:
        enough = False
    if not (enough and profile.is_file()):
        return {}
    return {PROFILE: str(profile), MODE: os.environ.get(MODE, "ASYNCHRONOUS")}


def use_large_cloud_profile() -> None:
    """Set the environment for large clouds. Call this before the first ROS context is created."""
    os.environ.update(large_cloud_profile())

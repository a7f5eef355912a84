"""Where models/, config/ and launch/ lie: beside the package in a checkout, in share/instseg3d_ros when installed."""

from __future__ import annotations

import os
from pathlib import Path


def share(folder: str) -> Path:
    """Path of a shared folder; the checkout's where nothing is installed, even if it does not exist yet."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / folder
    if (package.parent / "package.xml").is_file():
        return checkout
    for prefix in [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), *map(str, package.parents)]:
        installed = Path(prefix) / "share" / package.name / folder
        if prefix and installed.is_dir():
            return installed
    return checkout

"""Paths of models/, config/ and launch/: beside the package in a checkout, in share/instseg3d_ros if installed."""

from __future__ import annotations

import os
from pathlib import Path


def share(folder: str) -> Path:
    """Path of a shared folder. Without an installation it is the checkout's folder, which may not exist yet."""
    package = Path(__file__).resolve().parent
    checkout = package.parent / folder
    if (package.parent / "package.xml").is_file():
        return checkout
    for prefix in [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), *map(str, package.parents)]:
        installed = Path(prefix) / "share" / package.name / folder
        if prefix and installed.is_dir():
            return installed
    return checkout

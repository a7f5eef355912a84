"""Files that `requirements/pack_cuda.sh` packs for a host without network: packages in `site/`, scenes in `frames/`."""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path

from instseg3d_ros.errors import InputError
from instseg3d_ros.paths import share

NAME = "cuda"  # name of the folder requirements/cuda/ and of the archive requirements/cuda.tar.xz


@lru_cache(maxsize=1)
def packed() -> Path | None:
    """The folder `requirements/cuda`; unpacks the archive if the folder does not exist; None without either."""
    folder = share("requirements") / NAME
    archive = folder.with_name(f"{NAME}.tar.xz")
    if folder.is_dir() or not archive.is_file():
        return folder if folder.is_dir() else None
    try:
        with (
            tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{NAME}-") as beside,
            tarfile.open(archive) as file,
        ):
            file.extractall(beside, filter="data")
            os.rename(Path(beside) / NAME, folder)
    except (OSError, tarfile.TarError) as error:
        raise InputError(f"{archive}: cannot be unpacked ({error}); pack it again or unpack it by hand") from None
    return folder


def use_packed() -> Path | None:
    """Make the packed packages importable; installed packages have precedence. Returns the folder, or None."""
    folder = packed()
    if folder is not None and str(folder / "site") not in sys.path:
        sys.path.append(str(folder / "site"))
    return folder

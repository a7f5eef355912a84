"""What `requirements/pack_cuda.sh` packs for a host without network: packages in `site/`, scenes in `frames/`."""

from __future__ import annotations

import os
import sys
import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path

from instseg3d_ros.errors import InputError
from instseg3d_ros.paths import share

NAME = "cuda"  # requirements/cuda/, or requirements/cuda.tar.xz that unpacks to it


@lru_cache(maxsize=1)
def packed() -> Path | None:
    """The unpacked folder `requirements/cuda`, unpacked now if only the archive is there; None without either."""
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
    """Make the packed packages importable, behind all that is installed; the folder, None without one."""
    folder = packed()
    if folder is not None and str(folder / "site") not in sys.path:
        sys.path.append(str(folder / "site"))
    return folder

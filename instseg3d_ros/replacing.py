"""Writes files under a temporary name and renames them, so that no reader sees an incomplete file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A context with a temporary path in the folder of `path`. The file replaces `path`; after an error it is deleted.

        with replacing(path) as beside:
            beside.write_text(text)

    The temporary path has the extension of `path`, because some writers choose the format by the extension.
    """
    path = Path(path)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)

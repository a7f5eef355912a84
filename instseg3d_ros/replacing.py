"""Write a file beside its place and rename it, so that no reader ever meets half a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a path in the folder of `path` to write to; at the end that file replaces `path`, after an error it goes.

        with replacing(path) as beside:
            beside.write_text(text)

    The extension stays, because some writers choose the format by it.
    """
    path = Path(path)
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield beside
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)

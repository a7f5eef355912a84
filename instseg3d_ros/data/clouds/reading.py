"""Error messages for files that cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from instseg3d_ros.errors import InputError


@contextmanager
def reading(path: Path, kind: str, remedy: str = "write it again") -> Iterator[None]:
    """Convert any exception of a parser to an InputError that names the file.

    A panic of a decoder written in Rust is a BaseException and not an Exception.
    """
    try:
        yield
    except (InputError, MemoryError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except PermissionError:
        raise InputError(f"{path}: no permission to read the file; check its permissions") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, expected a {kind} file") from None
    except BaseException as error:
        text = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(f"{path}: cannot be read as {kind} ({text}); {remedy}") from None

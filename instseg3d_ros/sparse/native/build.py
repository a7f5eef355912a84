"""Native kernels compiled at first use, with nothing to install and nothing for users to run.

    library = load("mean_shift", Path(__file__).with_name("mean_shift.cpp"))
    if library is None:
        ...  # no compiler, or INSTSEG3D_NATIVE=0: take the plain path

A source is compiled once per machine: the shared library lies in `$XDG_CACHE_HOME/instseg3d_ros`, else in
`~/.cache/instseg3d_ros`, under a name that hashes the source, its headers, the compiler and the processor's features.
Failing to build is not an error: it is logged at info level and remembered for the process.

Rules for a source: `extern "C"` functions, plain pointers and integers, no Python. `parallel.h` of this folder runs
tasks on as many threads as the caller asks for; pass `torch.get_num_threads()`.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
OFF = "INSTSEG3D_NATIVE"  # set to 0 to force the plain torch path
LIMIT_S = 180  # a compiler that hangs must not hang the node
_log = logging.getLogger(__name__)


def plain(argument):
    """What C takes for a value: tensors and arrays as pointers, floats as doubles, None as null, the rest as int64."""
    if hasattr(argument, "data_ptr"):
        return ctypes.c_void_p(argument.data_ptr())
    if hasattr(argument, "ctypes"):
        return ctypes.c_void_p(argument.ctypes.data)
    if isinstance(argument, float):
        return ctypes.c_double(argument)
    return ctypes.c_int64(argument) if argument is not None else ctypes.c_void_p(None)


def enabled() -> bool:
    """False where the environment forces the plain path; read at each call so that tests can switch."""
    return os.environ.get(OFF, "1") != "0"


def load(name: str, source: Path) -> ctypes.CDLL | None:
    """The library compiled from `source`, or None where it is switched off or cannot be built here."""
    return _load(name, Path(source)) if enabled() else None


@functools.cache
def _load(name: str, source: Path) -> ctypes.CDLL | None:
    compiler = _compiler()
    if compiler is None:
        _log.info("no C++ compiler found: %s runs on plain torch operations", name)
        return None
    for flags in (_flags(native=True), _flags(native=False)):
        try:
            library = _cache() / f"{name}-{_fingerprint(source, compiler, flags)}.so"
            if not library.exists():
                _compile(compiler, flags, source, library)
            return ctypes.CDLL(str(library))
        except (OSError, subprocess.SubprocessError) as error:
            detail = getattr(error, "stderr", None) or error
            _log.info("building %s failed: %s", name, detail)
    return None


def _compile(compiler: str, flags: tuple[str, ...], source: Path, library: Path) -> None:
    """Compile beside and rename, so that processes that start together never load half a file."""
    with tempfile.TemporaryDirectory(dir=library.parent, prefix=f".{library.stem}-") as folder:
        built = Path(folder) / "built.so"
        command = [compiler, *flags, "-shared", f"-I{HERE}", str(source), "-o", str(built)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_S)
        os.replace(built, library)


def _flags(native: bool) -> tuple[str, ...]:
    tune: tuple[str, ...] = ()
    if native:
        tune = ("-march=native",) if platform.machine() in ("x86_64", "AMD64", "i686") else ("-mcpu=native",)
    # -ffp-contract=fast is what lets a*b+c become one fused operation; no other freedom with rounding is given.
    return ("-std=c++17", "-O3", "-fPIC", "-pthread", "-ffp-contract=fast", *tune)


@functools.cache
def _compiler() -> str | None:
    candidates = (os.environ.get("CXX"), "g++", "clang++", "c++")
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def _cache() -> Path:
    """The first folder that can be written: the user's cache, else one of this user's under the temporary folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "instseg3d_ros"
    for folder in (home, Path(tempfile.gettempdir()) / f"instseg3d_ros-{os.getuid()}"):
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # A library of somebody else's would be run as ours.
            if folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK | os.X_OK):
                return folder
    raise OSError("no folder to keep compiled kernels in")


@functools.cache
def _fingerprint(source: Path, compiler: str, flags: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr((flags, _processor())).encode())
    digest.update(_version(compiler).encode())
    for path in (source, *sorted({*HERE.glob("*.h"), *source.parent.glob("*.h")})):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@functools.cache
def _version(compiler: str) -> str:
    done = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=LIMIT_S, check=True)
    return compiler + done.stdout


def _processor() -> str:
    """What -march=native depends on: a cache on a shared home folder serves machines of several kinds."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return platform.machine() + line
    return platform.machine() + platform.processor()

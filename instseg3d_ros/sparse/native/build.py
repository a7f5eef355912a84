"""Compiles the C++ kernels of the package, once per machine, and loads them.

A library is compiled at first use into `$INSTSEG3D_KERNELS`, else `$XDG_CACHE_HOME/instseg3d_ros`, else
`~/.cache/instseg3d_ros`. Its name has a hash of the source, the headers, the flags, the processor and the compiler.
Without a compiler, a library that was compiled ahead of time from the same source is used (`compile_kernels`).

Environment: `INSTSEG3D_NATIVE=0` switches the kernels off. `INSTSEG3D_ISA=x86-64-v3` compiles for this instruction set
(any value of the compiler's `-march`) instead of the processor's, for example for a container image that is built on a
different machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE.parents[1]
SOURCES = {path.stem: path for path in sorted(PACKAGE.glob("*/native/*.cpp"))}
OFF, ISA, FOLDER = "INSTSEG3D_NATIVE", "INSTSEG3D_ISA", "INSTSEG3D_KERNELS"
OWN = ""  # the instruction set of this processor
LIMIT_S = 600  # seconds after which a compiler is stopped; some compilers take minutes on a busy machine


class BuildError(Exception):
    """Raised if a kernel is not available; the message has the reason in one line."""


def enabled() -> bool:
    """False if the environment switches the kernels off. It is read at each call, so that tests can change it."""
    return os.environ.get(OFF, "1") != "0"


def instruction_set() -> str:
    """The instruction set from the environment: a value of `-march`, or `OWN`."""
    return os.environ.get(ISA, OWN)


def load(source: Path, isa: str = OWN) -> ctypes.CDLL:
    """The library of a source, compiled if necessary. Raises BuildError if it cannot be compiled or loaded."""
    try:
        return ctypes.CDLL(str(library(source, isa)))
    except OSError as error:
        raise BuildError(f"{source.stem}: {error}") from None


def library(source: Path, isa: str = OWN) -> Path:
    """The compiled file of a source for an instruction set. Raises BuildError."""
    compilers = _compilers()
    failures: list[str] = []
    try:
        for flags in _flags(isa):
            stem = f"{source.stem}-{_fingerprint(source, flags, isa)}"
            for compiler in compilers:
                made = _find(f"{stem}-{_version(compiler)}.so") or _compile(compiler, flags, source, stem, failures)
                if made is not None:
                    return made
            if not compilers and (made := _find(f"{stem}-*.so")):
                return made
    except OSError as error:
        raise BuildError(f"{source.stem}: {error}") from None
    raise BuildError(f"{source.stem}: " + ("; ".join(failures) or "no C++ compiler found; install g++"))


def _compile(compiler: str, flags: tuple[str, ...], source: Path, stem: str, failures: list[str]) -> Path | None:
    """Compile to a temporary file and rename it, so that no process loads an incomplete file."""
    target = _folder_to_write() / f"{stem}-{_version(compiler)}.so"
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{stem}-") as folder:
        built = Path(folder) / "built.so"
        command = [compiler, *flags, "-shared", f"-I{HERE}", str(source), "-o", str(built)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT_S)
        except subprocess.SubprocessError as error:
            detail = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            failures.append(next((line for line in detail if "error" in line), (detail or ["failed"])[0]))
            return None
        os.replace(built, target)
    return target


def _flags(isa: str) -> list[tuple[str, ...]]:
    """Compiler flags to try, in order. Default: the processor's set, then any processor."""
    # -ffp-contract=fast allows a*b+c as a fused operation; other rounding must stay exact.
    common = ("-std=c++17", "-O3", "-fPIC", "-pthread", "-ffp-contract=fast")
    if isa != OWN:
        return [(*common, f"-march={isa}")]
    own = "-march=native" if platform.machine() in ("x86_64", "AMD64", "i686") else "-mcpu=native"
    return [(*common, own), common]


@functools.cache
def _compilers() -> tuple[str, ...]:
    """Paths of the C++ compilers that are installed, `$CXX` first."""
    names = (os.environ.get("CXX"), "g++", "clang++", "c++")
    return tuple(dict.fromkeys(path for name in names if name and (path := shutil.which(name))))


def _find(pattern: str) -> Path | None:
    """A compiled file in one of the folders. For security only files of this user and of root are loaded."""
    for folder in _folders():
        with contextlib.suppress(OSError):
            if folder.stat().st_uid not in (0, os.getuid()):
                continue
            for path in sorted(folder.glob(pattern)):
                if path.stat().st_uid in (0, os.getuid()):
                    return path
    return None


def _folders() -> list[Path]:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "instseg3d_ros"
    named = os.environ.get(FOLDER)
    last = Path(tempfile.gettempdir()) / f"instseg3d_ros-{os.getuid()}"
    return [*([Path(named)] if named else []), home, last]


def _folder_to_write() -> Path:
    for folder in _folders():
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_uid == os.getuid() and os.access(folder, os.W_OK | os.X_OK):
                return folder
    raise OSError("no folder for compiled kernels can be written; set INSTSEG3D_KERNELS to a folder that you can write")


@functools.cache
def _fingerprint(source: Path, flags: tuple[str, ...], isa: str) -> str:
    machine = _processor() if isa == OWN else platform.machine()
    digest = hashlib.sha256(repr((flags, machine)).encode())
    for path in (source, *sorted({*HERE.glob("*.h"), *source.parent.glob("*.h")})):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


@functools.cache
def _version(compiler: str) -> str:
    try:
        done = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=LIMIT_S, check=True)
    except subprocess.SubprocessError as error:
        raise OSError(f"{compiler} does not run: {error}") from None
    return hashlib.sha256((compiler + done.stdout).encode()).hexdigest()[:8]


def _processor() -> str:
    """A description of the processor for the file name, because machines may share a home folder with the cache."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("flags", "Features")):
                return platform.machine() + line
    return platform.machine() + platform.processor()

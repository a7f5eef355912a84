"""Check 1: card, driver, torch and spconv are installed and compatible."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import torch

from instseg3d_ros.gpu_check.card import Card, spconv_works
from instseg3d_ros.gpu_check.finding import Finding
from instseg3d_ros.sparse.native import build, kernels

CHECK = "present"
NEEDED = ("safetensors", "scipy", "rosbags", "lightning", "jsonargparse")


def findings(card: Card) -> Iterator[Finding]:
    """Report versions; check a matrix product on the card, the import of spconv, and the other packages."""
    yield Finding(CHECK, "card", text=card.name)
    if card.on_cuda:
        properties = torch.cuda.get_device_properties(card.device)
        yield Finding(CHECK, "memory", properties.total_memory / 2**30, "GiB")
        yield Finding(CHECK, "compute capability", text=f"{properties.major}.{properties.minor}")
        yield Finding(CHECK, "driver", text=driver())
    yield Finding(CHECK, "Python", text=platform.python_version())
    yield Finding(CHECK, "torch", text=f"{torch.__version__}, CUDA {torch.version.cuda or 'none'}")
    compiled = "compiled" if not kernels.missing() else kernels.summary(kernels.missing())
    yield Finding(CHECK, "CPU kernels", text=compiled if build.enabled() else "switched off")
    yield Finding(CHECK, "product of two matrices, error", product_error(card), "of the largest", 1e-5)
    if "spconv" in card.engines:
        problem = spconv_works()
        yield Finding(CHECK, "spconv", float(not problem), limit=1, at_least=True, text=problem or spconv_version())
    missing = [name for name in NEEDED if installed(name) is None]
    yield Finding(
        CHECK,
        "other packages",
        float(len(missing)),
        limit=0,
        text=f"missing: {', '.join(missing)}" if missing else "all",
    )


def product_error(card: Card) -> float:
    """Largest error of a matrix product on the card, relative to the largest value.

    It raises an error if torch has no code for the card's compute capability.
    """
    torch.manual_seed(0)
    a, b = torch.randn(64, 96), torch.randn(96, 32)
    with card.computing():
        found = (a.to(card.device) @ b.to(card.device)).cpu()
    expected = a.double() @ b.double()
    return float((found - expected).abs().max() / expected.abs().max())


def driver() -> str:
    """Version of NVIDIA's driver as nvidia-smi names it."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return "unknown: nvidia-smi not found"
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown: {error}".splitlines()[0]
    return done.stdout.split("\n")[0].strip()


def spconv_version() -> str:
    names = ("spconv", *(f"spconv-cu{number}" for number in (114, 117, 118, 120, 121, 124, 126, 128)))
    return next((f"{name} {found}" for name in names if (found := installed(name))), "unknown version")


def installed(name: str) -> str | None:
    """Version of a package; None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None

import sys
from pathlib import Path

import pytest
import torch

from instseg3d_ros.sparse.native import build

sys.path.insert(0, str(Path(__file__).parent))  # for sparse_clouds


@pytest.fixture(autouse=True)
def _one_seed():
    torch.manual_seed(0)


@pytest.fixture(params=["plain", "native"])
def kernels(request, monkeypatch):
    """Runs a test on plain torch operations and on the compiled kernels."""
    monkeypatch.setenv(build.OFF, "0" if request.param == "plain" else "1")
    if request.param == "native" and not build._compilers():
        pytest.skip("no C++ compiler")
    return request.param

import ctypes
import subprocess
import sys

import pytest
import torch

from instseg3d_ros.sparse.native import build, kernels

SOURCE = """
#include "parallel.h"
extern "C" long total(const long *values, long count, int threads) {
  long parts[8] = {};
  parallel(threads, 8, [&](long i) { for (long j = i; j < count; j += 8) parts[i] += values[j]; });
  long sum = 0;
  for (long part : parts) sum += part;
  return sum;
}
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(build.OFF, raising=False)
    build._load.cache_clear()
    yield tmp_path / "cache" / "instseg3d_ros"
    build._load.cache_clear()


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "total.cpp"
    path.write_text(SOURCE)
    return path


needs_compiler = pytest.mark.skipif(build._compiler() is None, reason="no C++ compiler")


@needs_compiler
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_compiles_once_and_runs(cache, source, threads):
    library = build.load("total", source)
    values = torch.arange(1000)
    library.total.restype = ctypes.c_long
    assert library.total(ctypes.c_void_p(values.data_ptr()), ctypes.c_long(1000), threads) == 499500
    files = list(cache.iterdir())
    build._load.cache_clear()
    build.load("total", source)
    assert [f.name for f in files] == [f.name for f in cache.iterdir()] and len(files) == 1


def test_environment_switches_it_off(cache, source, monkeypatch):
    monkeypatch.setenv(build.OFF, "0")
    assert build.load("total", source) is None
    assert not cache.exists()


@needs_compiler
def test_broken_source_is_silent(cache, tmp_path, capfd):
    broken = tmp_path / "broken.cpp"
    broken.write_text("this is not C++")
    assert build.load("broken", broken) is None
    assert capfd.readouterr() == ("", "")
    assert not list(cache.iterdir())


def test_no_compiler_means_none(cache, source, monkeypatch):
    monkeypatch.setattr(build, "_compiler", lambda: None)
    assert build.load("total", source) is None


@needs_compiler
def test_processes_that_start_together(cache, source):
    code = "import sys, pathlib, instseg3d_ros.sparse.native.build as b; assert b.load('t', pathlib.Path(sys.argv[1]))"
    processes = [subprocess.Popen([sys.executable, "-c", code, source]) for _ in range(3)]
    assert [p.wait(timeout=120) for p in processes] == [0, 0, 0]
    assert len(list(cache.iterdir())) == 1


@needs_compiler
def test_our_own_kernels_compile():
    """Falling back is silent, so a mistake in a source would otherwise only show as slowness."""
    assert kernels.available(torch.device("cpu"))

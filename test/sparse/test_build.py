import functools
import subprocess
import sys

import numpy as np
import pytest
import torch

from instseg3d_ros.sparse.native import build, kernels

SOURCE = """
#include <stdexcept>
#include <vector>
#include "kernel.h"
#include "parallel.h"
int64_t total(Threads threads, const int64_t *values, int64_t count) {
  int64_t parts[8] = {};
  parallel(threads, 8, [&](int64_t i) { for (int64_t j = i; j < count; j += 8) parts[i] += values[j]; });
  int64_t sum = 0;
  for (int64_t part : parts) sum += part;
  return sum;
}
void scale(float *values, int64_t count, double factor, const uint8_t *chosen) {
  for (int64_t i = 0; i < count; ++i) if (!chosen || chosen[i]) values[i] *= float(factor);
}
void fail(Threads threads, int64_t how) {
  parallel(threads, 1000, [&](int64_t i) {
    if (i != 500) return;
    if (how == 0) throw std::bad_alloc();
    if (how == 1) throw std::runtime_error("five hundred");
    throw 500;
  });
}
KERNEL(total, total)
KERNEL(scale, scale)
KERNEL(fail, fail)
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv(build.OFF, raising=False)
    return tmp_path / "cache" / "instseg3d_ros"


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "total.cpp"
    path.write_text(SOURCE)
    return path


needs_compiler = pytest.mark.skipif(not build._compilers(), reason="no C++ compiler")


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Kernels of `SOURCE` by name."""
    if not build._compilers():
        pytest.skip("no C++ compiler")
    folder = tmp_path_factory.mktemp("kernels")
    path = folder / "total.cpp"
    path.write_text(SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(build.FOLDER, str(folder))
        library = build.load(path)
    return functools.partial(kernels.Kernel, library)


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_tensors_and_arrays_go_in_and_come_out(kernel, threads, count):
    threads(count)
    assert kernel("total")(torch.arange(1000), 1000) == kernel("total")(np.arange(1000), 1000) == 499500
    values, chosen = torch.ones(4), torch.tensor([True, False, True, False])
    kernel("scale")(values, 4, 3, chosen)
    kernel("scale")(values, 4, 2.5, None)
    assert values.tolist() == [7.5, 2.5, 7.5, 2.5]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((torch.arange(10).float(), 10), "torch.float32 on cpu"),
        ((torch.arange(20)[::2], 10), "contiguous"),
        ((np.arange(20)[::2], 10), "contiguous"),
        ((torch.arange(10, device="meta"), 10), "on meta"),
        (([1, 2], 2), "got list"),
        ((torch.arange(10),), "takes 2 arguments, 1 were given"),
    ],
)
def test_arguments_that_a_kernel_does_not_take(kernel, arguments, words):
    with pytest.raises(TypeError, match=words):
        kernel("total")(*arguments)


def test_an_array_that_must_not_be_written(kernel):
    values = np.ones(3, np.float32)
    values.flags.writeable = False
    with pytest.raises(TypeError, match="float32"):
        kernel("scale")(values, 3, 2.0, None)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_exceptions_of_a_kernel(kernel, threads, count):
    threads(count)
    for _ in range(3):  # the pool of threads goes on afterwards
        with pytest.raises(MemoryError, match="kernel fail: not enough memory"):
            kernel("fail")(0)
        with pytest.raises(RuntimeError, match="five hundred"):
            kernel("fail")(1)
        with pytest.raises(RuntimeError, match="unknown exception"):
            kernel("fail")(2)
    assert kernel("total")(torch.arange(1000), 1000) == 499500


@needs_compiler
def test_compiles_once(cache, source):
    first = build.library(source)
    written = first.stat().st_mtime_ns
    assert build.library(source) == first and first.stat().st_mtime_ns == written
    assert list(cache.iterdir()) == [first]


def test_environment_switches_it_off(monkeypatch):
    monkeypatch.setenv(build.OFF, "0")
    assert not kernels.available("voxelize") and not kernels.missing()


@needs_compiler
def test_a_broken_source_says_what_is_wrong(cache, tmp_path, capfd):
    broken = tmp_path / "broken.cpp"
    broken.write_text("this is not C++")
    with pytest.raises(build.BuildError, match=r"broken: .*error"):
        build.load(broken)
    assert capfd.readouterr() == ("", "")
    assert not list(cache.iterdir())


def test_without_a_compiler(cache, source, monkeypatch):
    monkeypatch.setattr(build, "_compilers", lambda: ())
    with pytest.raises(build.BuildError, match="no C\\+\\+ compiler"):
        build.load(source)


@needs_compiler
def test_compiled_ahead_of_time_no_compiler_is_needed(cache, source, monkeypatch):
    made = build.library(source)
    monkeypatch.setattr(build, "_compilers", lambda: ())
    assert build.library(source) == made
    with pytest.raises(build.BuildError):
        build.library(source, "x86-64-v9")


@needs_compiler
def test_each_source_falls_back_alone(cache, tmp_path, monkeypatch, caplog):
    sources = {}
    for name, text in (("good", SOURCE), ("bad", "nonsense")):
        sources[name] = tmp_path / f"{name}.cpp"
        sources[name].write_text(text)
    monkeypatch.setattr(build, "SOURCES", sources)
    libraries = kernels._libraries.__wrapped__
    loaded, failed = libraries(build.OWN)
    assert list(loaded) == ["good"] and list(failed) == ["bad"]
    assert "kernels could not be compiled" in caplog.text and "bad" in caplog.text and "good" not in caplog.text


@needs_compiler
def test_processes_that_start_together(cache, source):
    code = "import sys, pathlib, instseg3d_ros.sparse.native.build as b; b.load(pathlib.Path(sys.argv[1]))"
    processes = [subprocess.Popen([sys.executable, "-c", code, source]) for _ in range(3)]
    assert [p.wait(timeout=120) for p in processes] == [0, 0, 0]
    assert len(list(cache.iterdir())) == 1


@needs_compiler
def test_the_package_compiles():
    """Plain torch computes in the place of a missing kernel, so a mistake in a source would only show as slowness."""
    assert kernels.missing() == {}

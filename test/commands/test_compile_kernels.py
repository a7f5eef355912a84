import pytest

from instseg3d_ros.commands import compile_kernels
from instseg3d_ros.errors import InputError
from instseg3d_ros.sparse.native import build

SOURCE = '#include "kernel.h"\nint64_t answer() { return 42; }\nKERNEL(answer, answer)\n'


@pytest.fixture
def one_source(tmp_path, monkeypatch):
    path = tmp_path / "answer.cpp"
    path.write_text(SOURCE)
    monkeypatch.setattr(build, "SOURCES", {"answer": path})
    monkeypatch.setenv(build.FOLDER, "")
    if not build._compilers():
        pytest.skip("no C++ compiler")
    return path


def test_libraries_are_found_where_no_compiler_is(one_source, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    assert compile_kernels.main(["--out", str(out)]) == 0
    (made,) = out.iterdir()
    assert capsys.readouterr().out.strip() == str(made)
    monkeypatch.setattr(build, "_compilers", lambda: ())
    assert build.library(one_source) == made


def test_an_instruction_set_that_the_compiler_does_not_know(one_source, tmp_path):
    with pytest.raises(InputError, match=r"answer: .*no-such-set"):
        compile_kernels.main(["--isa", "no-such-set", "--out", str(tmp_path / "out")])

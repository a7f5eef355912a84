import pytest

from instseg3d_ros.replacing import replacing


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "file.txt"
    with replacing(path) as beside:
        beside.write_text("one")
        assert beside.suffix == ".txt" and beside.parent == path.parent and not path.exists()
    assert path.read_text() == "one" and list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(str(path)) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]

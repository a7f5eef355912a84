"""`segment`: every kind of file to its outputs; broken files are named and counted; finished files are skipped."""

import json
import os
import pickle

import numpy as np
import pytest
from PIL import Image
from segment_inputs import cloud

from instseg3d_ros.commands import segment
from instseg3d_ros.commands.table import run
from instseg3d_ros.data.clouds import Cloud, read_cloud, write_cloud
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.messages.axes import BODY_FROM_OPTICAL
from instseg3d_ros.offline.run import InputReport, names_for
from instseg3d_ros.offline.segmenting import CloudSegmenter


@pytest.mark.parametrize("kind", [".ply", ".pcd", ".npz", ".las"])
def test_a_cloud_gets_its_outputs_in_its_own_kind(tmp_path, calls, capsys, kind):
    if kind == ".las":
        pytest.importorskip("laspy", reason="LAS needs laspy")
    original = cloud()
    write_cloud(tmp_path / f"room{kind}", original)
    out = tmp_path / "out"
    assert segment.main([str(tmp_path / f"room{kind}"), "-o", str(out)]) == 0
    assert {p.name for p in out.iterdir()} == {
        f"room{e}" for e in (".instances.json", f".segmented{kind}", ".segmented.png")
    }
    labelled = read_cloud(out / f"room.segmented{kind}")
    np.testing.assert_allclose(labelled.points, original.points, atol=1e-4)
    np.testing.assert_array_equal(labelled.colors, original.colors)
    left = labelled.points[:, 1] > 0.001
    assert (labelled.columns["instance"][left] == 1).all()
    assert (labelled.columns["label"][left] == SYNTHETIC.index("chair")).all()
    assert labelled.columns["confidence"].dtype == np.float32
    listing = json.loads((out / "room.instances.json").read_text())
    chair = listing["instances"][0]
    assert (chair["id"], chair["class"], chair["score"]) == (1, "chair", 0.8)
    assert chair["points"] == (original.points[:, 1] > 0).sum()
    assert np.shape(chair["box"]["rotation"]) == (3, 3)
    assert Image.open(out / "room.segmented.png").size[0] > 500
    assert calls[0][1] == {"level": "off", "max_range": float("inf")}  # a scan: z is up, and far is not too far
    assert "1 of 1" in capsys.readouterr().out


def test_camera_axes_are_turned_and_boxes_turned_back(tmp_path, calls):
    body = np.stack(np.meshgrid(np.linspace(0.4, -0.4, 20), np.linspace(0.3, -0.3, 16)), axis=-1).reshape(-1, 2)
    body = np.c_[np.full(len(body), 2.0), body].astype(np.float32)
    optical = body @ BODY_FROM_OPTICAL.astype(np.float32)
    write_cloud(tmp_path / "a.pcd", Cloud(optical, None, (16, 20)))
    assert segment.main([str(tmp_path / "a.pcd"), "-o", str(tmp_path / "out")]) == 0
    points, options = calls[0]
    np.testing.assert_allclose(points, body, atol=1e-6)
    assert options == {"level": "auto", "max_range": 10.0}
    box = json.loads((tmp_path / "out" / "a.instances.json").read_text())["instances"][0]["box"]
    left = optical[body[:, 1] > 0]
    np.testing.assert_allclose(box["center"], left.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(np.array(box["rotation"]), BODY_FROM_OPTICAL.T, atol=1e-6)
    back = read_cloud(tmp_path / "out" / "a.segmented.pcd")
    assert back.shape == (16, 20)
    np.testing.assert_array_equal(back.points, optical)


def test_a_depth_image(tmp_path, calls):
    Image.fromarray(np.full((12, 16), 1500, np.uint16)).save(tmp_path / "depth.png")
    Image.fromarray(np.full((12, 16, 3), 90, np.uint8)).save(tmp_path / "color.png")
    arguments = [str(tmp_path / "depth.png"), "-o", str(tmp_path / "out"), "--intrinsics", "16,16,7.5,5.5"]
    assert segment.main(arguments) == 0
    labelled = read_cloud(tmp_path / "out" / "depth.segmented.ply")
    assert len(labelled) == 192 and (labelled.colors == 90).all() and (labelled.points[:, 2] == 1.5).all()
    assert (calls[0][0][:, 0] == 1.5).all()  # forward is x there


def test_filters(tmp_path, calls):
    write_cloud(tmp_path / "a.ply", cloud())
    arguments = [str(tmp_path / "a.ply"), "-o", str(tmp_path / "out"), "--classes", "table", "--voxel", "0.05"]
    assert segment.main([*arguments, "--max-range", "3", "--level", "auto"]) == 0
    assert calls[0][1] == {"level": "auto", "max_range": 3.0}
    listing = json.loads((tmp_path / "out" / "a.instances.json").read_text())
    assert [one["class"] for one in listing["instances"]] == ["table"]
    labelled = read_cloud(tmp_path / "out" / "a.segmented.ply")
    assert set(np.unique(labelled.columns["instance"])) == {0, 2}
    assert SYNTHETIC.index("chair") in labelled.columns["label"]  # labelled all the same


def test_broken_inputs_are_named_skipped_and_counted(tmp_path, calls, capsys):
    write_cloud(tmp_path / "good.ply", cloud())
    (tmp_path / "cut.ply").write_bytes((tmp_path / "good.ply").read_bytes()[:-50])
    (tmp_path / "empty.pcd").write_bytes(b"")
    write_cloud(tmp_path / "nan.npz", Cloud(np.full((5, 3), np.nan, np.float32)))
    (tmp_path / "noise.mcap").write_bytes(os.urandom(500))
    report = tmp_path / "report.json"
    assert segment.main([str(tmp_path), "-o", str(tmp_path / "out"), "--json", str(report)]) == 1
    printed = capsys.readouterr()
    for name in ("cut.ply", "empty.pcd", "nan.npz", "noise.mcap"):
        assert sum(name in line for line in printed.err.splitlines()) == 1
    assert "1 of 5" in printed.out and printed.out.count("failed") == 4
    rows = json.loads(report.read_text())["inputs"]
    assert {os.path.basename(row["source"]): row["status"] for row in rows} == {
        "cut.ply": "failed", "empty.pcd": "failed", "good.ply": "done", "nan.npz": "failed", "noise.mcap": "failed",
    }  # fmt: skip
    assert len(calls) == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "good.instances.json", "good.segmented.ply", "good.segmented.png",
    ]  # fmt: skip


def test_done_once(tmp_path, calls, capsys):
    for name in "ab":
        write_cloud(tmp_path / f"{name}.ply", cloud())
    arguments = [str(tmp_path / "*.ply"), "-o", str(tmp_path)]
    assert segment.main(arguments) == 0 and len(calls) == 2
    assert segment.main([str(tmp_path), "-o", str(tmp_path)]) == 0 and len(calls) == 2  # its own outputs are no inputs
    assert capsys.readouterr().out.count("done before") == 2
    (tmp_path / "a.segmented.png").unlink()
    write_cloud(tmp_path / "b.ply", cloud(300))
    assert segment.main(arguments) == 0 and len(calls) == 4
    assert segment.main([*arguments, "--voxel", "0.03"]) == 0 and len(calls) == 6
    weights = tmp_path / "mine.safetensors"
    for content in (b"one", b"other"):  # a model trained anew under the same name
        weights.write_bytes(content)
        assert segment.main([*arguments, "--model", str(weights)]) == 0
    assert len(calls) == 10


def test_a_page_on_request(tmp_path, calls):
    write_cloud(tmp_path / "a.ply", cloud(3000))
    assert segment.main([str(tmp_path / "a.ply"), "-o", str(tmp_path / "out"), "--html", "--budget", "1000"]) == 0
    assert "WebGL" in (tmp_path / "out" / "a.segmented.html").read_text()


@pytest.mark.parametrize("arguments, expected", [
    (["a.ply"], "-o/--out"),
    (["missing.ply", "-o", "out"], "no such file"),
    (["{room}", "-o", "out", "--axes", "sideways"], "sideways"),
    (["{room}", "-o", "out", "--voxel", "7"], "voxel is 7"),
    (["{room}", "-o", "out", "--jobs", "0"], "--jobs 0"),
    (["{room}", "-o", "out", "--classes", "char"], "no class 'char'"),
    (["{room}", "-o", "out", "--intrinsics", "1,2"], "1,2"),
    (["{room}", "-o", "{room}/sub"], "--out"),
])  # fmt: skip
def test_bad_arguments_end_in_one_line(tmp_path, monkeypatch, calls, capsys, arguments, expected):
    monkeypatch.chdir(tmp_path)
    write_cloud(tmp_path / "room.ply", cloud(30))
    assert run("segment", [word.format(room=tmp_path / "room.ply") for word in arguments]) == 2
    error = capsys.readouterr().err
    assert expected in error and error.count("\n") == 1


def test_a_model_that_is_not_there_is_no_fault_of_the_input(tmp_path, capsys):
    write_cloud(tmp_path / "room.ply", cloud(30))
    for jobs in ("1", "2"):
        arguments = [str(tmp_path / "room.ply"), "-o", str(tmp_path / "out"), "--model", "nowhere.safetensors"]
        assert run("segment", [*arguments, "--jobs", jobs]) == 2
        assert "nowhere.safetensors" in capsys.readouterr().err


def test_processes_side_by_side(tmp_path):
    """With a real network, of random weights: processes load it for themselves."""
    from instseg3d_ros.network.architecture import Architecture
    from instseg3d_ros.network.checkpoint import ModelCard, save
    from instseg3d_ros.network.model import Network

    architecture = Architecture(width=4, graph_layers=0, classes=len(SYNTHETIC), voxel_size=0.2)
    save(tmp_path / "tiny.safetensors", Network(architecture), ModelCard(architecture, SYNTHETIC))
    for number in range(2):
        write_cloud(tmp_path / f"{number}.ply", cloud(seed=number))
    (tmp_path / "broken.ply").write_bytes(b"ply\n")
    model = str(tmp_path / "tiny.safetensors")
    arguments = [str(tmp_path), "-o", str(tmp_path / "out"), "--model", model, "--jobs", "2", "--device", "cpu"]
    assert segment.main(arguments) == 1
    assert len(list((tmp_path / "out").glob("*.instances.json"))) == 2


def test_names_tell_inputs_apart(tmp_path):
    paths = [tmp_path / p for p in ("x/a.ply", "x/a.pcd", "x/b.ply", "y/a.ply", "y/c.ply", "z/x/b.ply")]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    names = names_for(paths)
    assert len(set(names.values())) == 6
    assert names[paths[4]] == "c" and names[paths[3]] == "y_a" and names[paths[0]] == "x_a_ply"


def test_the_table_adds_up():
    rows = [InputReport("a.ply", points=1000, objects=2, seconds=1.5), InputReport("b.ply", "failed", message="no")]
    lines = segment.table(rows).splitlines()
    assert len({len(line) for line in lines if line.startswith("-")}) == 1
    assert "1 of 2" in lines[-1] and "1,000" in lines[-1]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_input_that_fails_in_an_unforeseen_way_does_not_end_the_others(tmp_path, calls, capsys, monkeypatch, jobs):
    from instseg3d_ros.offline import run

    class PanicException(BaseException):
        """As decoders written in Rust raise it."""

    def read(path, **_):
        if "bad" in path.name:
            raise PanicException("attempt to add\nwith overflow")
        return cloud()

    monkeypatch.setattr(run, "read_cloud", read)
    for name in ("a", "bad", "c"):
        write_cloud(tmp_path / f"{name}.ply", cloud())
    if jobs == "2":  # what a process of the pool does, without its seconds of starting

        def side_by_side(sources, names, settings, jobs):
            for source in reversed(sources):
                row = run.process(source, names[source], settings, lambda: CloudSegmenter.load(settings))
                yield pickle.loads(pickle.dumps(row))

        monkeypatch.setattr("instseg3d_ros.offline.pool.side_by_side", side_by_side)
    assert segment.main([str(tmp_path), "-o", str(tmp_path / "out"), "--jobs", jobs]) == 1
    printed = capsys.readouterr()
    assert "2 of 3" in printed.out
    assert [line for line in printed.err.splitlines() if "attempt to add with overflow" in line and "bad.ply" in line]


def test_coordinates_of_a_survey_are_those_of_the_boxes(tmp_path, calls):
    original = cloud()
    original.origin = np.array([432100.0, 5412345.0, 300.0])
    write_cloud(tmp_path / "a.ply", original)
    assert segment.main([str(tmp_path / "a.ply"), "-o", str(tmp_path / "out")]) == 0
    chair = json.loads((tmp_path / "out" / "a.instances.json").read_text())["instances"][0]
    middle = original.points[original.points[:, 1] > 0].mean(axis=0)
    np.testing.assert_allclose(chair["box"]["center"], middle + original.origin, atol=0.02)


def test_units(tmp_path, calls, capsys):
    small = cloud()
    write_cloud(tmp_path / "a.ply", Cloud(small.points * 1000, small.colors))
    assert segment.main([str(tmp_path / "a.ply"), "-o", str(tmp_path / "out")]) == 0
    assert "--unit mm" in capsys.readouterr().err
    assert segment.main([str(tmp_path / "a.ply"), "-o", str(tmp_path / "out")]) == 0
    assert "--unit mm" in capsys.readouterr().err  # done before, and still true
    assert segment.main([str(tmp_path / "a.ply"), "-o", str(tmp_path / "out"), "--unit", "mm"]) == 0
    assert "--unit" not in capsys.readouterr().err
    np.testing.assert_allclose(calls[-1][0], small.points, atol=1e-5)
    center = json.loads((tmp_path / "out" / "a.instances.json").read_text())["instances"][0]["box"]["center"]
    assert np.abs(center).max() < 2
    np.testing.assert_array_equal(read_cloud(tmp_path / "out" / "a.segmented.ply").points, small.points * 1000)

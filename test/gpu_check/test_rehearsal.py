"""The whole command on the CPU, at small sizes."""

import json
import math

import pytest
import torch

from instseg3d_ros.commands import gpu_check
from instseg3d_ros.errors import InputError
from instseg3d_ros.gpu_check.finding import Finding, passed, table, to_json
from instseg3d_ros.gpu_check.run import check


@pytest.mark.timeout(300)
def test_rehearsal_holds_every_limit(tmp_path, capsys):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # small sizes: a second thread only waits
    code = gpu_check.main(["--device", "cpu", "--json", str(tmp_path / "gpu.json")])
    torch.set_num_threads(threads)
    shown = capsys.readouterr().out
    assert code == 0, shown
    report = json.loads((tmp_path / "gpu.json").read_text())
    assert report["passed"] and {row["check"] for row in report["findings"]} == {
        "present", "right: layers", "right: answers", "fast", "trains", "out of memory",
    }  # fmt: skip
    assert "CPU (rehearsal): all limits hold" in shown


@pytest.mark.parametrize("arguments", ["--only all", "--engines cudnn", "--json no/where.json", "--device gpu"])
def test_bad_arguments_are_one_line(arguments):
    with pytest.raises(InputError) as error:
        gpu_check.main(arguments.split())
    assert "\n" not in str(error.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is at hand")
def test_without_a_card_the_rehearsal_is_named():
    with pytest.raises(InputError, match="--device cpu"):
        gpu_check.main([])


def test_limits():
    assert Finding("a", "b", 1.0).held is None and not passed([Finding("a", "b", 1.0)])
    assert Finding("a", "b", 1.0, limit=1.0).held and Finding("a", "b", 1.0, limit=1.0, at_least=True).held
    assert not Finding("a", "b", 1.1, limit=1.0).held and not Finding("a", "b", 0.9, limit=1.0, at_least=True).held
    for value in (math.nan, math.inf, None):
        assert Finding("a", "b", value, limit=1.0).held is False
    found = [Finding("a", "b", 2.0, "ms", 3.0, worst=2.5), Finding("a", "c", math.nan, limit=1.0)]
    assert not passed(found) and passed(found[:1])
    assert "2 ms (99 %: 2.5)" in table(found) and "FAILED" in table(found)
    assert to_json(found)["findings"][1]["value"] is None


def test_an_error_fails_its_check_and_the_next_one_runs(small, monkeypatch):
    def broken(card):
        raise RuntimeError("CUDA error: no kernel image is available")
        yield

    monkeypatch.setattr("instseg3d_ros.gpu_check.present.findings", broken)
    found = list(check(small, ["present", "memory"], lambda words: None))
    assert found[0].held is False and "no kernel image" in found[0].text
    assert found[-1].check == "out of memory" and found[-1].held

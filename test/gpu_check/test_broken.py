"""Each check fails if its subject is broken. Only the code that runs on the card is broken: `Breaking.computing`."""

from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
import torch

from instseg3d_ros.benchmarking.race import Times
from instseg3d_ros.commands.train import parse
from instseg3d_ros.gpu_check import answers, clouds, layers, learning, networks, present, speed, starved
from instseg3d_ros.gpu_check.card import Card
from instseg3d_ros.segmentation import mean_shift
from instseg3d_ros.segmentation.result import Instance, Result
from instseg3d_ros.segmentation.segmenter import Segmenter
from instseg3d_ros.sparse import engine_torch, nearest
from instseg3d_ros.training.module import Training


@dataclass(frozen=True)
class Breaking(Card):
    """A card with replaced attributes: `breaks` maps (object, name) to a function of the original attribute."""

    breaks: tuple = ()
    marked_card: bool = False

    @property
    def marked(self):
        return self.marked_card

    @contextmanager
    def computing(self):
        with super().computing(), pytest.MonkeyPatch.context() as patch:
            for (owner, name), wrong in self.breaks:
                kind = vars(owner).get(name)
                replaced = wrong(getattr(owner, name))
                patch.setattr(owner, name, staticmethod(replaced) if isinstance(kind, staticmethod) else replaced)
            yield


def broken(card, *breaks, **others):
    return Breaking(**{f.name: getattr(card, f.name) for f in fields(Card)}, breaks=breaks, **others)


def failures(findings):
    return {finding.what for finding in findings if finding.held is False}


def scaled(factor):
    return lambda right: lambda *a, **k: right(*a, **k) * factor


def of_gradients(right):
    return lambda *a: tuple(g if g is None else 1.02 * g for g in right(*a))


CONVOLUTION = engine_torch.Convolution


def test_present(small, monkeypatch):
    assert not failures(present.findings(small))
    wrong = broken(small, ((torch.Tensor, "__matmul__"), scaled(1.01)))
    assert failures(present.findings(wrong)) == {"product of two matrices, error"}
    monkeypatch.setattr(present, "installed", lambda name: None)
    assert failures(present.findings(small)) == {"other packages"}
    monkeypatch.setattr(present, "spconv_works", lambda: "not installed")
    assert failures(present.findings(replace(small, engines=("torch", "spconv")))) == {"spconv", "other packages"}


@pytest.mark.parametrize("way, wrong", [("forward", scaled(1.02)), ("backward", of_gradients)])
@pytest.mark.parametrize("layer", layers.LAYERS, ids=lambda layer: layer[0].replace(" ", "_"))
def test_convolutions(small, frame, way, wrong, layer):
    _, kind, c_in, c_out = layer
    for dtype, limit in ((torch.float32, layers.FP32), (torch.float16, layers.FP16)):
        assert layers.convolution_error(small, frame, "torch", kind(c_in, c_out), dtype) < limit
        card = broken(small, ((CONVOLUTION, way), wrong))
        assert layers.convolution_error(card, frame, "torch", kind(c_in, c_out), dtype) > limit


def test_backbones_and_voxels(small, frame, monkeypatch):
    def shifted(right):
        return lambda points, *a, **k: right(points + 0.003, *a, **k)

    def rounded(right):  # coarser than bfloat16
        return lambda ctx, x, *a: right(ctx, (x * 8).round() / 8 if x.dtype != torch.float32 else x, *a)

    monkeypatch.setattr(layers, "LAYERS", ())
    assert not failures([layers._voxels(small, frame)])
    assert failures([layers._voxels(broken(small, ((layers, "voxelize"), shifted)), frame)])
    found = failures(layers.findings(broken(small, ((CONVOLUTION, "forward"), rounded)), frame))
    assert {"torch: unet, fp16, voxels of the same class", "torch: resnet untrained, fp16"} <= found
    assert "torch: unet, fp32" not in found
    monkeypatch.setattr(layers, "BACKBONES", {"unet": None})
    monkeypatch.setattr(layers, "HALVES", {})
    found = failures(layers.findings(broken(small, ((CONVOLUTION, "forward"), scaled(1.02))), frame))
    assert "torch: unet, fp32" in found
    found = failures(layers.findings(broken(small, ((CONVOLUTION, "backward"), of_gradients)), frame))
    assert found == {"torch: unet, gradient of the weights"}


def test_answers(small, frame):
    def farther(right):
        return lambda *a: right(*a).roll(1, 0)

    def one_cluster(right):
        return lambda points, *a: (torch.zeros_like(right(points, *a)[0]), right(points, *a)[1])

    frames = clouds.demo_clouds(2500)[:1]
    assert answers.neighbors_error(small, frame) == 0 and answers.clusters_alike(small) == 100
    assert answers.neighbors_error(broken(small, ((nearest, "_by_tree"), farther)), frame) > 1e-5
    assert answers.clusters_alike(broken(small, ((mean_shift, "mean_shift_torch"), one_cluster))) < 99.9
    found = failures(answers.findings(broken(small, ((mean_shift, "mean_shift_torch"), one_cluster)), frames))
    assert any("fp32, same objects" in what for what in found)


def test_answers_that_differ():
    def result(instance, *labels, semantic=(0, 1, 1, 2, 2, 2)):
        objects = [Instance(n, label, 0.5, 1, None) for n, label in enumerate(labels, 1)]
        return Result(np.array(semantic, np.int16), np.array(instance, np.int32), None, objects)

    right = result([0, 1, 1, 2, 2, 2], "cup", "box")
    assert answers.objects_alike([right], [right]) == answers.labels_alike(right, right) == 100
    assert answers.objects_alike([result([0, 2, 2, 1, 1, 1], "box", "cup")], [right]) == 100  # ids are free
    for wrong, alike in (
        (result([0, 1, 1, 2, 2, 2], "cup", "bowl"), 50), (result([0, 1, 1, 0, 2, 2], "cup", "box"), 50),
        (result([0, 1, 1, 1, 1, 1], "cup"), 0), (result([0] * 6), 0),
        (result([0, 1, 1, 2, 3, 3], "cup", "box", "box"), 40),
    ):  # fmt: skip
        assert answers.objects_alike([wrong], [right]) == alike
    assert np.isnan(answers.objects_alike([result([0] * 6)], [result([0] * 6)]))
    assert answers.labels_alike(result([0] * 6, semantic=(0, 1, 1, 2, 2, 0)), right) == pytest.approx(500 / 6)


def test_speed(small, frame, monkeypatch):
    def in_no_time(points, colors):
        return Result(None, None, None, timings={"backbone": 7.0, "total": 11.0})

    for marked, kind, late in ((True, "unet", 1), (True, "resnet", 0), (False, "unet", 0)):
        card = broken(small, marked_card=marked)
        found = failures(speed._stages(card, in_no_time, [frame], kind, kind))
        assert len(found) == late and all("total" in what for what in found)
    times = {name: Times((ms,) * 3) for name, ms in (("engine torch", 31.0), ("engine spconv", 10.0))}
    found = failures(speed.ratios("unet", {**times, "spconv's own modules": Times((9.0,) * 3)}))
    assert found == {"unet backbone: engine torch over engine spconv"}
    segmenter = Segmenter(*networks.load("unet", frame, 4)[:2])
    monkeypatch.setattr(speed, "count", lambda events, on_cuda: {"operations that wait": 0})
    assert failures(speed._crossings(small, segmenter, [frame], "unet")) == {"unet: operations that wait, a frame"}


def test_what_crosses_is_counted():
    events = {"Memcpy HtoD (Pageable -> Device)": 3, "Memcpy DtoH (Device -> Pageable)": 2, "cudaStreamSynchronize": 7,
              "cudaLaunchKernel": 40, "aten::nonzero": 5, "aten::add": 9}  # fmt: skip
    assert speed.count(events, True) == {
        "operations that wait for a number": 5, "copies to the card": 3, "copies to the host": 2,
        "waits of the host": 7, "kernel launches": 40,
    }  # fmt: skip
    assert speed.count({}, False) == {"operations that wait for a number": 0}


def test_trains(small):
    def first(losses):
        return failures(losses)

    assert not first(learning.compare("r", [4.0, 3.9, 3.8], [4.01, 3.9]))
    assert len(first(learning.compare("r", [4.2, 3.9], [4.0, 3.9]))) == 1  # the first loss is off
    assert len(first(learning.compare("r", [4.0, 2.9], [4.0, 3.9]))) == 1  # the mean is off
    assert len(first(learning.compare("r", [4.0, float("nan")], [4.0, 3.9]))) == 2
    assert any("last" in what for what in first(learning.compare("r", [4.0] * 10 + [4.5] * 10, [4.0, 4.0])))

    def heavier(right):
        return lambda *a: {name: 1.1 * value for name, value in right(*a).items()}

    found = failures(learning.findings(broken(small, ((Training, "losses"), heavier)), parse))
    assert {what.split(":")[0] for what in found} == set(learning.RECIPES)


def confused(segmenter, frame):
    with torch.no_grad():
        segmenter.network.semantic_head[-1].bias.copy_(torch.randn(22) * 9)
    return "dropped"


def test_out_of_memory(small, frame, monkeypatch):
    assert not failures(starved.findings(small, frame))
    held = []
    with monkeypatch.context() as patch:  # the failed frame's tensors are held
        patch.setattr(starved, "drop", lambda one, frame: held.append(torch.zeros(1 << 20)) or "dropped")
        assert failures(starved.findings(small, frame)) == {"memory that stays allocated"}
    held.clear()
    with monkeypatch.context() as patch:  # the frame fits after all
        patch.setattr(starved, "TOO_MUCH", 8)
        assert "frame that does not fit" in failures(starved.findings(small, frame))
    with monkeypatch.context() as patch:  # the error is not told from others
        patch.setattr(starved, "is_out_of_memory", lambda error: False)
        with pytest.raises(RuntimeError, match="allocate"):
            list(starved.findings(small, frame))
    with monkeypatch.context() as patch:  # the segmenter is broken afterwards
        patch.setattr(starved, "drop", confused)
        assert failures(starved.findings(small, frame)) == {"next frame, points with the same answer"}

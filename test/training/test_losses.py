"""The cross entropy of a batch of scenes, against a loop that spells it."""

import math

import pytest
import torch
from torch.nn import functional

from instseg3d_ros.training.module import scene_cross_entropy


def spelled(logits, semantic, batch, instance, balance):
    """Voxel by voxel: −log softmax, weighed by (size of its instance, or of its class where it has none)^−balance."""
    scenes = []
    for scene in range(int(batch.max()) + 1):
        rows = [i for i in range(len(batch)) if batch[i] == scene]
        segment = {i: ("instance", int(instance[i])) if instance[i] > 0 else ("class", int(semantic[i])) for i in rows}
        total = weights = 0.0
        for i in rows:
            if semantic[i] < 0:
                continue
            size = sum(segment[j] == segment[i] for j in rows)
            weight = float(size) ** -balance
            total = total - weight * logits[i].log_softmax(0)[semantic[i]]
            weights += weight
        scenes.append(total / weights if weights else torch.zeros((), dtype=logits.dtype))
    return sum(scenes) / len(scenes)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_equals_the_loop_in_value_and_gradient(balance):
    generator = torch.Generator().manual_seed(3)
    count = 120
    logits = torch.randn(count, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    semantic = torch.randint(-1, 5, (count,), generator=generator)
    instance = torch.randint(0, 4, (count,), generator=generator)
    batch = torch.randint(0, 3, (count,), generator=generator).sort().values
    results = []
    for function in (scene_cross_entropy, spelled):
        value = function(logits, semantic, batch, instance, balance)
        results.append((value, *torch.autograd.grad(value, logits)))
    for mine, expected in zip(*results):
        assert torch.allclose(mine, expected, rtol=1e-12, atol=1e-14)


def test_without_balance_it_is_torchs_mean():
    logits, semantic = torch.randn(50, 4, dtype=torch.float64), torch.arange(50) % 4
    value = scene_cross_entropy(logits, semantic, torch.zeros(50, dtype=torch.int64))
    assert value.item() == pytest.approx(functional.cross_entropy(logits, semantic).item(), rel=1e-12)


def test_balance_lets_a_cup_count_as_much_as_the_wall():
    """Ten voxels of a cup that are wrong beside a thousand of a wall that are right."""
    semantic = torch.tensor([0] * 1000 + [1] * 10)
    instance = torch.tensor([0] * 1000 + [1] * 10)
    logits = torch.tensor([[20.0, 0.0]]).repeat(1010, 1).double()
    batch = torch.zeros(1010, dtype=torch.int64)
    plain, balanced = (scene_cross_entropy(logits, semantic, batch, instance, b).item() for b in (0.0, 1.0))
    assert plain == pytest.approx(20 * 10 / 1010, rel=1e-6)
    assert balanced == pytest.approx(10, rel=1e-6)


def test_a_scene_without_labels_counts_as_zero():
    logits = torch.randn(6, 3, requires_grad=True)
    semantic = torch.tensor([0, 1, 2, -1, -1, -1])
    batch, instance = torch.tensor([0, 0, 0, 1, 1, 1]), torch.zeros(6, dtype=torch.int64)
    value = scene_cross_entropy(logits, semantic, batch, instance, 0.5)
    expected = functional.cross_entropy(logits[:3], semantic[:3]) / 2
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    value.backward()
    assert math.isfinite(logits.grad.abs().sum()) and not logits.grad[3:].any()

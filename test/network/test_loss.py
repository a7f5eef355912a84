"""Values and gradients of the losses against loops over equations 1 to 5, in float64."""

import pytest
import torch

from instseg3d_ros.network.loss import clearance_loss, structure_aware_loss


def spelled(embedding, position, instance, batch, alpha, beta, structure_aware, reduction):
    total = embedding.new_zeros(())
    scenes = sorted(set(batch.tolist()))
    for scene in scenes:
        ids = sorted(set(instance[(batch == scene) & (instance != 0)].tolist()))
        means, intra = [], embedding.new_zeros(())
        for i in ids:
            rows = [j for j in range(len(instance)) if batch[j] == scene and instance[j] == i]
            mu_s = sum(embedding[j] for j in rows) / len(rows)
            mu_p = sum(position[j] for j in rows) / len(rows)
            pull = embedding.new_zeros(())
            for j in rows:
                s, p = (embedding[j] - mu_s).norm(), (position[j] - mu_p).norm()
                weight = 1 / (1 + torch.exp(-p)) if structure_aware else 1.0
                pull = pull + weight * max(s - alpha, torch.zeros_like(s)) ** 2
            intra = intra + (pull / len(rows) if reduction == "mean" else pull)
            means.append(mu_s)
        m = len(ids)
        if m:
            total = total + intra / m
        for a in range(m):
            for b in range(m):
                if a != b:
                    d = (means[a] - means[b]).norm()
                    total = total + max(beta - d, torch.zeros_like(d)) ** 2 / (m * (m - 1))
    return total / len(scenes)


@pytest.mark.parametrize("structure_aware", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_equals_the_equations(structure_aware, reduction):
    g = torch.Generator().manual_seed(0)
    embedding = torch.randn(60, 4, dtype=torch.float64, generator=g, requires_grad=True)
    position = torch.randn(60, 3, dtype=torch.float64, generator=g)
    instance = torch.randint(0, 5, (60,), generator=g) * 7  # ids with gaps, some ignored
    batch = torch.randint(0, 3, (60,), generator=g)
    instance[batch == 1] = 0  # a scene without instances
    options = (0.7, 1.5, structure_aware, reduction)
    loss = structure_aware_loss(embedding, position, instance, batch, *options)
    expected = spelled(embedding, position, instance, batch, *options)
    assert torch.allclose(loss, expected, rtol=1e-12)
    (gradient,) = torch.autograd.grad(loss, embedding)
    (expected_gradient,) = torch.autograd.grad(expected, embedding)
    assert torch.allclose(gradient, expected_gradient, atol=1e-12)


def test_is_the_mean_over_scenes_whatever_the_order_of_points():
    g = torch.Generator().manual_seed(1)
    embedding, position = torch.randn(50, 4, generator=g), torch.randn(50, 3, generator=g)
    instance, batch = torch.randint(0, 4, (50,), generator=g), torch.randint(0, 2, (50,), generator=g)
    apart = [structure_aware_loss(embedding[batch == b], position[batch == b], instance[batch == b]) for b in (0, 1)]
    order = torch.randperm(50, generator=g)
    together = structure_aware_loss(embedding[order], position[order], instance[order], batch[order])
    assert torch.allclose(together, sum(apart) / 2)


@pytest.mark.parametrize("ids", [[0, 0, 0], [3, 3, 3], [5, 0, 0], [1, 2, 0], []])
def test_edge_cases_are_finite_with_finite_gradients(ids):
    embedding = torch.zeros(len(ids), 4, requires_grad=True)
    loss = structure_aware_loss(embedding, torch.zeros(len(ids), 3), torch.tensor(ids, dtype=torch.int64))
    loss.backward()
    # Two instances at one place in embedding space: beta² from each of the two ordered pairs, over M (M − 1) = 2.
    assert loss.item() == pytest.approx(1.5**2 if ids == [1, 2, 0] else 0.0)
    assert torch.isfinite(embedding.grad).all()


def test_one_instance_has_no_inter_term():
    embedding = torch.tensor([[0.0, 0], [4.0, 0]], dtype=torch.float64)
    position = torch.tensor([[0.0, 0, 0], [2.0, 0, 0]], dtype=torch.float64)
    loss = structure_aware_loss(embedding, position, torch.tensor([9, 9]))
    weight = 1 / (1 + torch.exp(torch.tensor(-1.0, dtype=torch.float64)))
    assert torch.allclose(loss, weight * (2 - 0.7) ** 2)


def test_gradcheck():
    g = torch.Generator().manual_seed(2)
    embedding = (2 * torch.randn(12, 3, dtype=torch.float64, generator=g)).requires_grad_()
    position = torch.randn(12, 3, dtype=torch.float64, generator=g)
    instance = torch.arange(12) % 4
    assert torch.autograd.gradcheck(lambda e: structure_aware_loss(e, position, instance), (embedding,))


def test_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="reduction 'max'"):
        structure_aware_loss(torch.zeros(1, 4), torch.zeros(1, 3), torch.ones(1, dtype=torch.int64), reduction="max")


def spelled_clearance(embedding, instance, labelled, batch, margin):
    total = embedding.new_zeros(())
    scenes = int(batch.max()) + 1
    for scene in range(scenes):
        rows = [i for i in range(len(batch)) if batch[i] == scene and labelled[i]]
        groups = {k: [i for i in rows if instance[i] == k] for k in {int(instance[i]) for i in rows}}
        means = {k: (sum(embedding[i] for i in own) / len(own)).detach() for k, own in groups.items() if k != 0}
        if not means:
            continue
        for k, own in groups.items():
            for i in own:
                others = [(embedding[i] - mean).norm() for other, mean in means.items() if other != k]
                if others:
                    total = total + max(margin - min(others), embedding.new_zeros(())) ** 2 / len(own) / len(groups)
    return total / scenes


@pytest.mark.parametrize("stuff", [True, False])
def test_clearance_equals_the_loop(stuff):
    g = torch.Generator().manual_seed(4)
    embedding = torch.randn(80, 4, dtype=torch.float64, generator=g, requires_grad=True)
    instance = torch.randint(0 if stuff else 1, 5, (80,), generator=g) * 3
    labelled = torch.rand(80, generator=g) > 0.2
    batch = torch.randint(0, 4, (80,), generator=g)
    instance[batch == 1] = 0  # nothing but stuff
    instance[batch == 2] = 9  # one object alone
    options = (instance, labelled, batch, 1.3)
    loss, expected = clearance_loss(embedding, *options), spelled_clearance(embedding, *options)
    assert expected > 0 and torch.allclose(loss, expected, rtol=1e-12)
    (gradient,) = torch.autograd.grad(loss, embedding)
    (expected_gradient,) = torch.autograd.grad(expected, embedding)
    assert torch.allclose(gradient, expected_gradient, atol=1e-12)


def test_clearance_of_nothing_is_zero_with_a_gradient():
    embedding = torch.randn(6, 4, requires_grad=True)
    batch, nothing = torch.zeros(6, dtype=torch.int64), torch.zeros(6, dtype=torch.int64)
    for labelled in (torch.ones(6, dtype=torch.bool), torch.zeros(6, dtype=torch.bool)):
        loss = clearance_loss(embedding, nothing, labelled, batch)
        loss.backward()
        assert loss == 0 and not embedding.grad.any()

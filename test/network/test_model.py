"""The networks of the paper: known sizes, and changes of the input that must not change the output."""

import pytest
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.backbone import resnet, unet
from instseg3d_ros.network.inputs import INPUTS, NetworkInput, input_width
from instseg3d_ros.network.model import Network
from instseg3d_ros.sparse import voxelize


def parameters(*modules):
    return sum(p.numel() for module in modules for p in module.parameters())


def test_parameter_counts_equal_sparseconvnets():
    assert parameters(unet(3, closing_norm=False), torch.nn.Linear(16, 20)) == 2_689_828
    assert parameters(resnet(3, closing_norm=False), torch.nn.Linear(32, 20)) == 30_104_308


def cloud(seed, count=400):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, generator=g), 255 * torch.rand(count, 3, generator=g)


def run(network, clouds):
    points = torch.cat([p for p, _ in clouds])
    colors = torch.cat([c for _, c in clouds])
    batch = torch.repeat_interleave(torch.arange(len(clouds)), torch.tensor([len(p) for p, _ in clouds]))
    architecture = network.architecture
    inputs = NetworkInput.of_points(points, colors, architecture.voxel_size, architecture.inputs, batch)
    output = network(inputs)
    return torch.cat((output.logits, output.embedding, output.refined_embedding), dim=1)[inputs.voxels.voxel_of_point]


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Network(Architecture(width=4, classes=5, voxel_size=0.1)).eval()


@torch.no_grad()
def test_scenes_of_a_batch_do_not_see_each_other(network):
    clouds = [cloud(1), cloud(2, 150)]
    together = run(network, clouds)
    apart = torch.cat([run(network, [one]) for one in clouds])
    assert torch.allclose(together, apart, atol=1e-5)


@torch.no_grad()
def test_order_of_points_does_not_matter(network):
    points, colors = cloud(3)
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(0))
    assert torch.allclose(
        run(network, [(points, colors)])[order], run(network, [(points[order], colors[order])]), atol=1e-5
    )


@pytest.mark.parametrize("graph_layers", [0, 1, 3])
@torch.no_grad()
def test_embeddings_of_some_voxels_are_those_of_all(graph_layers):
    torch.manual_seed(0)
    network = Network(Architecture(width=4, voxel_size=0.1, graph_layers=graph_layers)).eval()
    voxels = voxelize(cloud(5, 3000)[0], None, 0.1)
    embedding = torch.randn(len(voxels.grid), 4)
    everything = network.refine(embedding, voxels)
    for rows in (torch.tensor([5, 700, 31]), torch.arange(100, 300), torch.arange(0)):
        some = network.refine(embedding, voxels, rows)
        assert torch.allclose(some[rows], everything[rows], atol=1e-6)


@torch.no_grad()
def test_horizontal_origin_of_the_map_does_not_matter(network):
    points, colors = cloud(4)
    moved = points + torch.tensor([12.8, -6.4, 0.0])  # whole voxels at all levels
    assert torch.allclose(run(network, [(points, colors)]), run(network, [(moved, colors)]), atol=1e-3)


@pytest.mark.parametrize("backbone", ["unet", "resnet"])
@pytest.mark.parametrize("aggregator", ["attention", "mean"])
@pytest.mark.parametrize("graph_layers", [0, 3])
def test_every_variant_trains(backbone, aggregator, graph_layers):
    torch.manual_seed(0)
    network = Network(
        Architecture(backbone=backbone, aggregator=aggregator, graph_layers=graph_layers, width=2, classes=3,
                     voxel_size=0.2, inputs="color" if graph_layers else "position_color", anchored=not graph_layers)
    )  # fmt: skip
    run(network, [cloud(0, 200), cloud(1, 100)]).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


@pytest.mark.parametrize("wrong", [{"backbone": "vit"}, {"neighbors": 0}, {"voxel_size": 0.0}, {"inputs": "xyz"}])
def test_wrong_architecture_names_the_value(wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong.values())))):
        Architecture(**wrong)


def test_an_anchor_needs_positions():
    with pytest.raises(InputError, match="anchored embeddings need positions, but inputs is 'color'"):
        Architecture(anchored=True, inputs="color")


@torch.no_grad()
def test_an_anchored_embedding_starts_at_the_position():
    torch.manual_seed(0)
    network = Network(Architecture(width=4, classes=5, voxel_size=0.1, anchored=True)).eval()
    inputs = NetworkInput.of_points(*cloud(6), 0.1, "position_color")
    y = network.backbone(inputs.x).features
    added = network.embed(y, inputs) - network.embedding_head(y)
    assert torch.allclose(added[:, :3], 2 * inputs.position, atol=1e-5) and (added[:, 3] == 0).all()
    assert torch.equal(network(inputs).embedding, network.embed(y, inputs))


def test_input_features_are_colour_and_position_in_the_scene():
    (points, colors), floor = cloud(7), 0.3
    points[:, 2] += floor
    inputs = NetworkInput.of_points(points, colors, 0.1, "position_color")
    positions = inputs.voxels.positions
    assert torch.allclose(inputs.x.features[:, :3], inputs.voxels.features / 127.5 - 1)
    assert torch.allclose(inputs.x.features[:, 3:5], positions[:, :2] - positions[:, :2].mean(0), atol=1e-6)
    height = inputs.x.features[:, 5]
    assert -0.05 < height.min() <= 0 and torch.allclose(height - height.min(), positions[:, 2] - positions[:, 2].min())
    gray = NetworkInput.of_points(points, None, 0.1, "color")
    assert (gray.x.features == 0).all() and gray.x.features.shape[1] == 3
    for name in INPUTS:
        one = NetworkInput.of_points(points, colors, 0.1, name)
        assert one.x.features.shape == (len(one.voxels.grid), input_width(name))


@torch.no_grad()
@pytest.mark.parametrize("voxel_size", [0.03, 0.1, 0.2])
def test_neighbours_are_exact_whatever_the_size_of_the_voxels(voxel_size):
    """`segment --voxel` gives the network other voxels than the size that it was trained with."""
    torch.manual_seed(0)
    network = Network(Architecture(width=4, voxel_size=0.1, graph_layers=1, aggregator="mean")).eval()
    voxels = voxelize(cloud(8, 3000)[0], None, voxel_size)
    embedding = torch.randn(len(voxels.grid), 4)
    nearest = torch.cdist(voxels.positions.double(), voxels.positions.double()).topk(8, largest=False)[1]
    expected = network.graph[0](embedding, nearest)
    assert torch.allclose(network.refine(embedding, voxels), expected, atol=1e-5)

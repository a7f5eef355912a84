import numpy as np
import pytest
import torch
from sklearn.cluster import MeanShift

from instseg3d_ros.errors import InputError
from instseg3d_ros.segmentation.mean_shift import MEET, mean_shift, mean_shift_scales
from instseg3d_ros.segmentation.mean_shift_torch import mean_shift_torch
from instseg3d_ros.sparse.native import kernels

WAYS = {"native": mean_shift, "torch": mean_shift_torch}


@pytest.fixture(params=WAYS)
def cluster(request):
    if request.param == "native" and not kernels.available("mean_shift"):
        pytest.skip("no C++ compiler")
    return WAYS[request.param]


def blobs(rng, count, clusters, dim, spread, box):
    centers = rng.uniform(-box, box, (clusters, dim))
    return centers[rng.integers(clusters, size=count)] + rng.normal(0, spread, (count, dim))


CASES = {
    "well separated": lambda rng: blobs(rng, 300, 5, 4, 0.15, 8),
    "overlapping": lambda rng: blobs(rng, 250, 6, 4, 0.4, 1.5),
    "noise in 2 dimensions": lambda rng: rng.uniform(-3, 3, (300, 2)),
    "noise in 3 dimensions": lambda rng: rng.uniform(-1.5, 1.5, (250, 3)),
    "noise in 6 dimensions": lambda rng: rng.uniform(-0.8, 0.8, (120, 6)),
    "8 dimensions": lambda rng: blobs(rng, 150, 4, 8, 0.1, 3),
    "10 dimensions": lambda rng: blobs(rng, 100, 3, 10, 0.05, 1),
    "1 dimension": lambda rng: blobs(rng, 300, 6, 1, 0.3, 9),
    "one point": lambda rng: rng.normal(size=(1, 4)),
    "two points": lambda rng: rng.normal(size=(2, 4)),
    "a bin for each point": lambda rng: 5.0 * rng.permutation(60)[:, None] + rng.uniform(-1, 1, (60, 3)),
    "duplicates": lambda rng: np.repeat(blobs(rng, 40, 4, 4, 0.4, 2), 12, axis=0),
    "all the same": lambda rng: np.tile(rng.normal(0, 0.2, (1, 3)), (200, 1)),
    "far from the origin": lambda rng: 3000 + blobs(rng, 200, 5, 4, 0.2, 3),
    "outliers": lambda rng: np.concatenate((blobs(rng, 200, 4, 4, 0.2, 3), rng.normal(0, 1e5, (5, 4)))),
}


@pytest.mark.filterwarnings("ignore:Binning data failed")
@pytest.mark.parametrize("bandwidth", [1.0, 0.37])
@pytest.mark.parametrize("case", CASES)
def test_equals_scikit_learn(cluster, case, bandwidth):
    x = CASES[case](np.random.default_rng(len(case)))
    labels, centers = cluster(torch.from_numpy(x), bandwidth)
    assert labels.dtype == torch.int64 and centers.dtype == torch.float64
    assert_same_clusters(labels, centers, MeanShift(bandwidth=bandwidth, bin_seeding=True).fit(x))


@pytest.mark.parametrize("case", ["well separated", "overlapping", "outliers"])
def test_equals_scikit_learn_in_single_precision(cluster, case):
    x = CASES[case](np.random.default_rng(7)).astype(np.float32)
    labels, centers = cluster(torch.from_numpy(x), 1.0)
    assert centers.dtype == torch.float32
    assert_same_clusters(labels, centers, MeanShift(bandwidth=1.0, bin_seeding=True).fit(x))


def assert_same_clusters(labels, centers, peer):
    assert centers.shape == peer.cluster_centers_.shape
    np.testing.assert_allclose(centers.numpy(), peer.cluster_centers_, rtol=1e-6, atol=1e-3)
    assert np.array_equal(labels.numpy(), peer.labels_)


def test_points_on_the_sphere_and_on_bin_edges_count_as_in_scikit_learn(cluster):
    # A lattice of halves: distances equal to the bandwidth and coordinates between two bins are all over the place.
    x = torch.from_numpy(np.random.default_rng(0).integers(-4, 5, (300, 2)) / 2.0)
    labels, centers = cluster(x, 1.0)
    peer = MeanShift(bandwidth=1.0, bin_seeding=True).fit(x.numpy())
    np.testing.assert_allclose(centers.numpy(), peer.cluster_centers_, atol=1e-3)
    nearest = ((x[:, None] - centers) ** 2).sum(2)
    torch.testing.assert_close(nearest.gather(1, labels[:, None])[:, 0], nearest.amin(1))  # ties may go either way


def test_native_equals_torch_on_many_points():
    x = torch.from_numpy(blobs(np.random.default_rng(3), 20000, 12, 4, 0.3, 4).astype(np.float32))
    labels, centers = mean_shift(x)
    other_labels, other_centers = mean_shift_torch(x, 1.0)
    torch.testing.assert_close(centers, other_centers)
    assert torch.equal(labels, other_labels)


def test_same_bits_for_any_number_of_threads():
    x = torch.from_numpy(blobs(np.random.default_rng(4), 5000, 9, 4, 0.4, 3).astype(np.float32))
    before, answers = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            answers.append(mean_shift(x))
    finally:
        torch.set_num_threads(before)
    for labels, centers in answers[1:]:
        assert torch.equal(labels, answers[0][0]) and torch.equal(centers, answers[0][1])


def test_order_of_the_points_does_not_matter(cluster):
    x = torch.from_numpy(blobs(np.random.default_rng(5), 600, 6, 4, 0.4, 3))
    shuffle = torch.from_numpy(np.random.default_rng(6).permutation(len(x)))
    labels, centers = cluster(x, 1.0)
    shuffled_labels, shuffled_centers = cluster(x[shuffle], 1.0)
    torch.testing.assert_close(shuffled_centers, centers)
    assert torch.equal(shuffled_labels, labels[shuffle])


def test_seeds_fall_back_to_points_where_no_bin_centre_is_in_reach(cluster):
    x = torch.full((2, 9), 0.49)  # |x − bin centre| = 1.47 bandwidths; scikit-learn raises here
    labels, centers = cluster(x, 1.0)
    assert labels.tolist() == [0, 0]
    torch.testing.assert_close(centers, x[:1])


def test_more_dimensions_than_the_native_kernel_has():
    x = torch.cat((torch.zeros(4, 70), torch.full((3, 70), 2.0)))
    labels, centers = mean_shift(x)
    assert labels.tolist() == [0, 0, 0, 0, 1, 1, 1] and centers.shape == (2, 70)


def test_nothing_to_cluster():
    labels, centers = mean_shift(torch.zeros(0, 4))
    assert labels.shape == (0,) and centers.shape == (0, 4)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_embeddings_that_are_not_finite_are_refused(value):
    x = torch.zeros(10, 4)
    x[3, 2] = value
    with pytest.raises(InputError, match="1 of 10 embeddings"):
        mean_shift(x)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan"), float("inf")])
def test_bandwidth_is_a_length(bandwidth):
    with pytest.raises(InputError, match="bandwidth is"):
        mean_shift(torch.zeros(3, 2), bandwidth)


@pytest.mark.parametrize("shape", [(5,), (5, 0), (2, 3, 4)])
def test_shape_is_checked(shape):
    with pytest.raises(InputError, match="expected"):
        mean_shift(torch.zeros(shape))


def scales_by_torch(x, bandwidths):
    return [mean_shift_torch(x, bandwidth, MEET)[0] for bandwidth in bandwidths]


@pytest.mark.parametrize("scales", [mean_shift_scales, scales_by_torch])
@pytest.mark.parametrize("case", ["well separated", "far from the origin", "all the same", "8 dimensions"])
def test_seeds_that_meet_find_the_same_clusters(scales, case):
    x = torch.from_numpy(CASES[case](np.random.default_rng(1)).astype(np.float32))
    for labels, bandwidth in zip(scales(x, (1.0, 0.5)), (1.0, 0.5)):
        exact = mean_shift(x, bandwidth)[0]
        assert len(torch.unique(labels * 1000 + exact)) == len(torch.unique(exact)) == len(torch.unique(labels))


def test_seeds_that_meet_in_both_implementations():
    x = torch.from_numpy(blobs(np.random.default_rng(8), 3000, 8, 4, 0.35, 2).astype(np.float32))
    for labels, other in zip(mean_shift_scales(x, (1.0, 0.5)), scales_by_torch(x, (1.0, 0.5))):
        assert torch.equal(labels, other)


def test_seeds_that_meet_on_any_number_of_threads():
    x = torch.from_numpy(np.random.default_rng(4).uniform(-3, 3, (20000, 4)).astype(np.float32))
    before, answers = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            answers.append(torch.stack(mean_shift_scales(x, (1.0, 0.5))))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(answers[0], answers[1]) and torch.equal(answers[0], answers[2])


def test_half_a_million_points_in_one_blob():
    """The embedding of a frame with a single object: broad, without a valley."""
    if not kernels.available("mean_shift"):
        pytest.skip("no C++ compiler")
    x = torch.from_numpy(np.random.default_rng(5).normal(0, 0.3, (500_000, 4)).astype(np.float32))
    for labels in mean_shift_scales(x, (1.0, 0.5)):
        assert len(labels) == len(x) and labels.min() == 0

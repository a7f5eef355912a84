"""Parts that touch, against a search over all pairs of voxels."""

from collections import Counter

import numpy as np
import pytest
import torch

from instseg3d_ros.segmentation.contacts import Contacts, touching, touching_numpy
from instseg3d_ros.sparse.grid import VoxelGrid


def random_grid(rng):
    coords = np.unique(rng.integers(-6, 7, (250, 3)), axis=0)
    coords = np.concatenate((np.zeros((len(coords), 1), int), coords), axis=1)
    return VoxelGrid.from_coords(torch.from_numpy(coords))[0]


def by_the_book(part, coords, sparse=None) -> dict[tuple[int, int], int]:
    """In how many pairs of cells each two parts touch."""
    places = set()
    for i, j in np.argwhere((np.abs(coords[:, None] // 2 - coords[None] // 2) <= 1).all(axis=2)):
        a, b = int(part[i]), int(part[j])
        near = sparse is None or sparse[a] or sparse[b] or np.abs(coords[i] - coords[j]).max() <= 1
        if 0 <= a < b and near:
            places.add((a, b, *(coords[i] // 2), *(coords[j] // 2)))
    return Counter(place[:2] for place in places)


def as_dict(pairs, places):
    return {tuple(pair): place for pair, place in zip(pairs.tolist(), places.tolist())}


@pytest.mark.parametrize("seed", range(4))
def test_touching_against_all_pairs(seed):
    rng = np.random.default_rng(seed)
    grid = random_grid(rng)
    part, sparse = rng.integers(-1, 12, len(grid)), rng.random(12) < 0.2
    coords = grid.coords[:, 1:].numpy()
    for flags in (None, sparse):
        pairs, places = touching(part, grid, flags)
        assert len(pairs) == len(places) and as_dict(pairs, places) == by_the_book(part, coords, flags)
        for below in (None, 5):
            both = touching(part, grid, flags, below), touching_numpy(part, grid, flags, below)
            assert all(np.array_equal(ours, twin) for ours, twin in zip(*both))


def test_more_pairs_than_there_is_room_for_at_first():
    rng = np.random.default_rng(7)
    grid = random_grid(rng)
    part = rng.permutation(len(grid))  # each voxel a part
    pairs, places = touching(part, grid)
    assert len(pairs) > 8 * len(grid)
    assert all(map(np.array_equal, (pairs, places), touching_numpy(part, grid)))


def test_nothing_touches():
    grid, _ = VoxelGrid.from_coords(torch.tensor([[0, 1, 2, 3], [0, 1, 2, 4]]))
    for part, sparse in ((np.full(2, -1), None), (np.zeros(2, np.int64), None), (np.full(2, -1), np.zeros(0, bool))):
        pairs, places = touching(part, grid, sparse)
        assert pairs.shape == (0, 2) and places.shape == (0,)


@pytest.mark.parametrize("seed", range(4))
def test_parts_touch_parts_and_what_is_in_none(seed):
    rng = np.random.default_rng(seed)
    grid = random_grid(rng)
    part, semantic, sparse = rng.integers(-1, 5, len(grid)), rng.integers(0, 3, len(grid)), rng.random(5) < 0.3
    contacts = Contacts.find(part, semantic, grid, sparse)
    coords, own = grid.coords[:, 1:].numpy(), np.where(part < 0, 5 + semantic, part)
    every = by_the_book(own, coords, np.append(sparse, np.zeros(3, bool)))
    expected = {pair: places for pair, places in every.items() if pair[0] < 5}
    assert as_dict(contacts.pairs, contacts.places) == expected
    assert set(map(tuple, contacts.between_parts.tolist())) == {pair for pair in expected if pair[1] < 5}

    target = np.array([1, 0, 1, 2, 0])
    united, total = contacts.united(target), Counter()
    for (a, b), places in expected.items():
        a, b = sorted((target[a], target[b] if b < 5 else b - 5 + 3))
        total[a, b] += places if a != b else 0
    found = Counter()
    for pair, places in zip(united.pairs.tolist(), united.places.tolist()):
        found[tuple(pair)] += places
    assert united.num == 3 and found == {pair: places for pair, places in total.items() if places}


def test_no_parts_have_no_contacts():
    grid = random_grid(np.random.default_rng(0))
    none = Contacts.find(np.full(len(grid), -1), np.zeros(len(grid), np.int16), grid, np.zeros(0, bool))
    for contacts in (none, none.united(np.zeros(0, np.int64))):
        assert contacts.num == 0 and contacts.pairs.shape == contacts.between_parts.shape == (0, 2)


def test_more_parts_than_the_classes_type_can_count():
    """Classes are int16. In a cloud of far-apart points each voxel is a part."""
    num = 40_000
    coords = np.zeros((num + 1, 4), np.int64)
    coords[:, 1] = 2 * np.arange(num + 1)  # every second voxel of a line; the last is in no part
    grid, _ = VoxelGrid.from_coords(torch.from_numpy(coords))
    row = grid.coords[:, 1].numpy() // 2
    part, semantic = np.where(row < num, row, -1), np.full(num + 1, 2, np.int16)
    contacts = Contacts.find(part, semantic, grid, np.ones(num, bool))
    assert len(contacts.between_parts) == num - 1
    assert contacts.pairs[contacts.pairs[:, 1] >= num].tolist() == [[num - 1, num + 2]]

"""The index of cells against a dict."""

import numpy as np

from instseg3d_ros.mapping.cells import HALF, LEAST, Cells, pack, unpack


def test_keys_hold_coordinates_and_sort_like_them():
    rng = np.random.default_rng(0)
    coords = np.vstack((rng.integers(-HALF, HALF, (500, 3)), [[-HALF] * 3, [HALF - 1] * 3, [0, 0, 0]]))
    keys = pack(coords)
    assert np.array_equal(unpack(keys), coords)
    assert np.array_equal(np.argsort(keys), np.lexsort(coords.T[::-1]))


def test_insert_find_and_remove_are_those_of_a_dict():
    rng = np.random.default_rng(1)
    cells, known = Cells(3), {}
    for step in range(30):
        keys = np.unique(rng.integers(0, 400, 60))
        new = keys[cells.find(keys) < 0]
        assert set(new.tolist()) == set(keys.tolist()) - known.keys()
        rows = cells.insert(new)
        assert (cells["weight"][rows] == 0).all() and (cells["evidence"][rows] == 0).all()
        cells["weight"][rows], cells["evidence"][rows] = step + 1, step + 1
        known.update(dict.fromkeys(new.tolist(), step + 1))
        gone = rng.choice(sorted(known), len(known) // 3, replace=False)
        cells.remove(cells.find(gone))
        for key in gone.tolist():
            del known[key]
        assert cells.keys.tolist() == sorted(known) and len(cells) == len(known)
        assert cells["weight"][cells.rows].tolist() == [known[key] for key in sorted(known)]
        every = np.arange(400)
        assert np.array_equal(cells.find(every) >= 0, np.isin(every, list(known)))


def test_rows_are_used_again():
    cells = Cells(2)
    for _ in range(50):
        cells.remove(cells.insert(np.arange(LEAST // 2)))
    assert len(cells["weight"]) == LEAST

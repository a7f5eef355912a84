"""The surroundings of a proposal: the parts and classes that it touches, and how much it differs from them."""

from __future__ import annotations

import numpy as np

from instseg3d_ros.segmentation.contacts import Contacts
from instseg3d_ros.segmentation.proposals import Proposals

FAR = 3.0  # distances of embeddings are limited to this value


def surroundings(
    contacts: Contacts, proposals: Proposals, which: np.ndarray, shares: np.ndarray, means: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Surroundings of the proposals `which` (G,), of N proposals of K parts.

    contacts: contacts of the K parts; shares (N, C): mean class probabilities and means (N, D): mean embedding of each
    proposal. Returns the class shares (G, C) of everything that a proposal touches (0 if it touches nothing), and
    measures (G, 4): log(1 + number of places where it touches other parts), log(1 + number of places where it touches
    voxels in no part), mean and smallest distance between its embedding and those of the parts it touches, at most
    `FAR`.
    """
    from scipy.sparse import coo_matrix, csr_matrix  # here for a light import

    num, classes = contacts.num, shares.shape[1]
    every = num + classes
    (a, b), places = contacts.pairs.T, contacts.places.astype(np.float64)
    parts = b < num
    one, other = np.append(a, b[parts]), np.append(b, a[parts])
    touch = coo_matrix((np.append(places, places[parts]), (one, other)), (every, every)).tocsr()
    content = np.concatenate((shares[:num], np.eye(classes)))
    around, measures = np.zeros((len(which), classes)), np.zeros((len(which), 4))
    for some, members, begin in proposals.batches(np.arange(num), which):
        member = csr_matrix((np.ones(len(members)), members, begin), (len(some), every))
        touched = member @ touch  # places where a proposal touches each part, including its own parts, and each class
        touched = (touched - touched.multiply(member)).tocoo()
        found = touched @ content
        around[some] = found / np.maximum(found.sum(axis=1, keepdims=True), 1)
        row, column, places = touched.row, touched.col, touched.data
        part = column < num
        count = [np.bincount(row[rows], places[rows], len(some)) for rows in (part, ~part)]
        row, column, places = row[part], column[part], places[part]
        unlike = np.linalg.norm(means[which[some[row]]] - means[column], axis=1).clip(max=FAR)
        mean, least = np.bincount(row, places * unlike, len(some)), np.full(len(some), FAR)
        mean = np.where(count[0] > 0, mean / np.maximum(count[0], 1), FAR)
        np.minimum.at(least, row, unlike)
        measures[some] = np.column_stack((*np.log1p(count), mean, least))
    return around, measures

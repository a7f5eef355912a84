"""Quaternions (x, y, z, w), unit length, and rigid transforms (4, 4). The one place that imports tf_transformations.

Where tf_transformations is missing (it is not on PyPI) the same functions are computed here; a test compares the two.
"""

from __future__ import annotations

import numpy as np

try:
    from tf_transformations import quaternion_from_matrix, quaternion_matrix, quaternion_slerp
except ImportError:

    def quaternion_matrix(quaternion) -> np.ndarray:
        """(4, 4) rotation of a quaternion, which need not be exactly of unit length."""
        x, y, z, w = np.asarray(quaternion, float) / np.linalg.norm(quaternion)
        matrix = np.eye(4)
        matrix[:3, :3] = (
            (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
        )
        return matrix

    def quaternion_from_matrix(matrix) -> np.ndarray:
        """Quaternion of the rotation in a (4, 4) matrix; of q and -q the one with w >= 0."""
        m = np.asarray(matrix, float)[:3, :3]
        # Each candidate is the quaternion times one of its own components; the longest loses least to rounding.
        candidates = np.array((
            (1 + m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]),
            (m[0, 1] + m[1, 0], 1 - m[0, 0] + m[1, 1] - m[2, 2], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]),
            (m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 1 - m[0, 0] - m[1, 1] + m[2, 2], m[1, 0] - m[0, 1]),
            (m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + m[0, 0] + m[1, 1] + m[2, 2]),
        ))  # fmt: skip
        best = candidates[np.argmax(np.abs(np.diag(candidates)))]
        return best / np.linalg.norm(best) * (1 if best[3] >= 0 else -1)

    def quaternion_slerp(start, end, fraction) -> np.ndarray:
        """Point at `fraction` of the shorter great arc from `start` to `end`."""
        start, end = (np.asarray(q, float) / np.linalg.norm(q) for q in (start, end))
        cosine = start @ end
        if cosine < 0:
            end, cosine = -end, -cosine
        angle = np.arccos(min(cosine, 1.0))
        if angle < 1e-8:
            return start
        return (np.sin((1 - fraction) * angle) * start + np.sin(fraction * angle) * end) / np.sin(angle)


__all__ = ["inverse", "quaternion_from_matrix", "quaternion_matrix", "quaternion_slerp", "rigid"]


def rigid(translation, quaternion) -> np.ndarray:
    """(4, 4) transform: rotate, then translate."""
    matrix = quaternion_matrix(quaternion)
    matrix[:3, 3] = translation
    return matrix


def inverse(transform: np.ndarray) -> np.ndarray:
    """Inverse of a rigid (4, 4) transform."""
    result = np.eye(4)
    result[:3, :3] = transform[:3, :3].T
    result[:3, 3] = -transform[:3, :3].T @ transform[:3, 3]
    return result

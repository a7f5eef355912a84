import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for halls


@pytest.fixture
def hall():
    """A crate and a cupboard."""
    from halls import CUPBOARD, Hall

    return Hall().put(1, 2.0, 0.0).put(2, 2.2, 0.9, kind=CUPBOARD)


@pytest.fixture
def world():
    """An empty map for halls, that trusts poses."""
    from halls import LABELS

    from instseg3d_ros import ObjectMap

    return ObjectMap(labels=LABELS, align=False, min_cells=20)

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "data")]  # for helpers of the tests


@pytest.fixture
def calls(monkeypatch):
    """Clouds that reached the segmenter, with the options that held for them."""
    from segment_inputs import Halves

    from instseg3d_ros.offline.segmenting import CloudSegmenter
    from instseg3d_ros.viewing import picture

    calls = []
    monkeypatch.setattr(picture, "PANEL", 200)  # small pictures are quick
    monkeypatch.setattr(CloudSegmenter, "load", lambda settings: CloudSegmenter(Halves(calls), settings))
    return calls

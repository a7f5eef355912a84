import sys
from dataclasses import replace
from pathlib import Path

import pytest

from instseg3d_ros.gpu_check import clouds
from instseg3d_ros.gpu_check.card import Card

sys.path.insert(0, str(Path(__file__).parent))  # for fake_card


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """One folder for all tests, so that rooms are rendered once."""
    return tmp_path_factory.mktemp("gpu_check")


@pytest.fixture
def small(work):
    """The rehearsal's card, with still smaller clouds."""
    card = Card.find(work, "cpu")
    return replace(card, sizes=replace(card.sizes, points=800, compared_points=800, timed=1))


@pytest.fixture(scope="session")
def frame():
    return clouds.demo_clouds(800)[0]

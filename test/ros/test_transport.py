"""The profile for large clouds is used unless the user has chosen another; it is valid XML with a sufficient size."""

import shutil
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

import pytest

from instseg3d_ros.paths import share
from instseg3d_ros.ros import transport

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch):
    for name in (*transport.CHOSEN, transport.MODE, "RMW_IMPLEMENTATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1 << 33, 0, 1 << 33))


def test_used_where_nothing_is_chosen():
    chosen = transport.large_cloud_profile()
    assert chosen == {transport.PROFILE: str(share("config") / "fastdds.xml"), transport.MODE: "ASYNCHRONOUS"}


def test_a_users_publication_mode_stays(monkeypatch):
    monkeypatch.setenv(transport.MODE, "SYNCHRONOUS")
    assert transport.large_cloud_profile()[transport.MODE] == "SYNCHRONOUS"


@pytest.mark.parametrize("name", transport.CHOSEN)
def test_a_users_choice_stays(monkeypatch, name):
    monkeypatch.setenv(name, "something")
    assert transport.large_cloud_profile() == {}


def test_another_middleware_stays(monkeypatch):
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_cyclonedds_cpp")
    assert transport.large_cloud_profile() == {}
    monkeypatch.setenv("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    assert transport.large_cloud_profile()


def test_too_little_shared_memory_is_better_left_alone(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(64 << 20, 0, 64 << 20))
    assert transport.large_cloud_profile() == {}


def test_the_segment_holds_several_clouds():
    root = ElementTree.parse(share("config") / "fastdds.xml").getroot()
    space = {"p": root.tag[1:].partition("}")[0]}
    size = int(root.find(".//p:segment_size", space).text)
    assert size >= 6 * 640 * 480 * 32


@pytest.mark.live
def test_clouds_are_counted_from_one_process_to_another():
    from instseg3d_ros.ros.tools.lost_messages import measure

    row = measure(profile=False, reliable=True, megabytes=0.1, clouds=4)
    assert (row.sent, row.arrived) == (4, 4) and row.latency_ms > 0

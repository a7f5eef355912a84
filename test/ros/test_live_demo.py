"""`make demo` with the real node, the shipped weights and the shipped cloud."""

import pytest

from instseg3d_ros.paths import share
from instseg3d_ros.ros.tools import demo


@pytest.mark.live
@pytest.mark.skipif(not (share("models") / "unet.safetensors").is_file(), reason="no weights are shipped")
def test_demo_prints_its_table_and_saves_picture_and_cloud(live, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("ROS_DOMAIN_ID", str(live.domain))
    demo.show(share("data") / "demo_bag", tmp_path, "unet")
    printed = capfd.readouterr().out
    assert "object" in printed
    assert "backbone" in printed
    assert (tmp_path / "picture.png").stat().st_size > 50_000
    assert (tmp_path / "cloud.ply").stat().st_size > 1_000_000

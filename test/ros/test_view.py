"""The RViz view shows what the node publishes."""

import yaml

from instseg3d_ros.messages import topics
from instseg3d_ros.paths import share

SHOWN = (topics.COLORED, topics.MARKERS, topics.OVERLAY, topics.MAP_POINTS, topics.MAP_MARKERS)


def test_every_display_listens_to_a_topic_of_the_node_with_its_qos():
    view = yaml.safe_load((share("config") / "segment.rviz").read_text())
    shown = {}
    for display in view["Visualization Manager"]["Displays"]:
        if "Topic" in display:
            qos = display["Topic"]
            shown[qos["Value"]] = display["Class"].rpartition("/")[2], qos["Durability Policy"]
            assert display["Enabled"] and qos["Reliability Policy"] == "Reliable"
    expected = {
        topic.name.replace("~", "/instseg3d"): (
            topic.type.rpartition("/")[2], "Transient Local" if topic.qos == topics.LATCHED else "Volatile",
        )
        for topic in SHOWN
    }  # fmt: skip
    assert shown == expected

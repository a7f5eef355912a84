"""The RViz view shows what the node publishes."""

import yaml

from instseg3d_ros.messages import topics
from instseg3d_ros.paths import share

KINDS = {"PointCloud2": topics.COLORED, "MarkerArray": topics.MARKERS, "Image": topics.OVERLAY}


def test_every_display_listens_to_a_topic_of_the_node_with_its_qos():
    view = yaml.safe_load((share("config") / "segment.rviz").read_text())
    shown = {}
    for display in view["Visualization Manager"]["Displays"]:
        if "Topic" in display:
            kind = display["Class"].rpartition("/")[2]
            shown[kind] = display["Topic"]["Value"]
            assert display["Enabled"] and display["Topic"]["Reliability Policy"] == "Reliable"
    assert shown == {kind: topic.name.replace("~", "/instseg3d") for kind, topic in KINDS.items()}
    assert all(topic.type.endswith(kind) for kind, topic in KINDS.items())

"""Depth image, colour image and camera_info give the same objects as the corresponding cloud."""

import itertools
import struct

import numpy as np
import pytest
from live_node import quality, repeat, stamp_of, wait_for
from make_clouds import make_cloud
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from test_live_outputs import health

from instseg3d_ros.data.clouds.rgbd import Intrinsics, back_project
from instseg3d_ros.messages import topics

pytestmark = pytest.mark.live
SIZE = (48, 64)
FOCAL = 60.0
_seconds = itertools.count(1)
NAMES = {"depth": Image, "image": Image, "camera_info": CameraInfo}


def frame():
    """Two blocks in front of nothing: depth (H, W) in millimetres, colours (H, W, 3)."""
    depth = np.zeros(SIZE, np.uint16)
    depth[10:30, 5:20], depth[15:40, 40:60] = 1500, 2000
    return depth, np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)


def image(array, encoding, stamp):
    message = Image(height=SIZE[0], width=SIZE[1], encoding=encoding, step=array.itemsize * array.size // SIZE[0])
    message.data = array.tobytes()
    return stamped(message, stamp)


def compressed(depth, stamp):
    from io import BytesIO

    from PIL import Image as Canvas

    file = BytesIO()
    Canvas.fromarray(depth).save(file, "PNG")
    data = struct.pack("<iff", 0, 0, 0) + file.getvalue()
    return stamped(CompressedImage(format="16UC1; compressedDepth png", data=data), stamp)


def camera_info(stamp):
    message = CameraInfo(height=SIZE[0], width=SIZE[1])
    message.k = [FOCAL, 0.0, 32.0, 0.0, FOCAL, 24.0, 0.0, 0.0, 1.0]
    return stamped(message, stamp)


def stamped(message, stamp):
    message.header.frame_id = "camera_optical_frame"
    message.header.stamp.sec, message.header.stamp.nanosec = stamp
    return message


def boxes(message):
    found = [m for m in message.markers if m.ns == "boxes"]
    return sorted((m.pose.position.x, m.pose.position.y, m.pose.position.z) for m in found)


def answer(ear, publish):
    """The markers of a frame; `publish(stamp)` sends frames until all topics have answered one of them."""
    stamps = []

    def send():
        stamps.append((next(_seconds), 0))
        publish(stamps[-1])

    def answered():
        found = [{stamp_of(m) for m in messages} for messages in ear.messages.values()]
        return set.intersection(set(stamps), *found)

    repeat(send, answered, "a frame is answered", period=0.3)
    return next(m for m in ear.messages[topics.MARKERS] if stamp_of(m) in answered())


def test_depth_images_give_the_objects_of_clouds(live):
    depth, color = frame()
    points = back_project(depth / 1000, Intrinsics(FOCAL, FOCAL, 32, 24))
    node = live.start("depth:=/d/depth", "image:=/d/image", "camera_info:=/d/info", name="depth", input="depth")
    ear = live.listen(node.path, topics.MARKERS, topics.SEGMENTED).matched()
    found = health(live, "depth")
    by_name = {"depth": "/d/depth", "image": "/d/image", "camera_info": "/d/info"}
    senders = {name: live.node.create_publisher(NAMES[name], topic, 5) for name, topic in by_name.items()}

    def images(stamp, deep=depth, encoding="16UC1"):
        senders["camera_info"].publish(camera_info(stamp))
        senders["image"].publish(image(color[..., ::-1].copy(), "bgr8", stamp))
        senders["depth"].publish(image(deep, encoding, stamp))

    as_integers = answer(ear, images)
    as_metres = answer(ear, lambda stamp: images(stamp, (depth / 1000).astype(np.float32), "32FC1"))
    segmented = ear.messages[topics.SEGMENTED][-1]
    assert (segmented.height, segmented.width, segmented.header.frame_id) == (*SIZE, "camera_optical_frame")
    wait_for(lambda: found.get("input topic") == "/d/depth", "diagnostics name the depth topic")
    # Where nobody publishes colour, depth alone is answered; the reader follows a publisher of compressed images.
    for name in ("depth", "image"):
        live.node.destroy_publisher(senders[name])
    wait_for(lambda: live.node.count_publishers("/d/image") == 0, "the images are gone")
    packed = live.node.create_publisher(CompressedImage, "/d/depth", 5)
    as_png = answer(ear, lambda stamp: (senders["camera_info"].publish(camera_info(stamp)),
                                              packed.publish(compressed(depth, stamp))))  # fmt: skip
    node.signal()
    assert node.wait() == 0
    clouds = live.start("points:=/d/points", name="clouds")
    ear = live.listen(clouds.path, topics.MARKERS).matched()
    camera = live.node.create_publisher(PointCloud2, "/d/points", quality(True, 5))
    as_cloud = answer(ear, lambda stamp: camera.publish(
        make_cloud(points, color.reshape(-1, 3), SIZE, frame="camera_optical_frame", stamp=stamp)
    ))  # fmt: skip
    assert len(boxes(as_cloud)) == 2
    for other in (as_integers, as_metres, as_png):
        np.testing.assert_allclose(boxes(other), boxes(as_cloud), atol=1e-3)

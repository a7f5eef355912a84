"""Conversion of the overlay to sensor_msgs/Image."""

from __future__ import annotations

import array

from sensor_msgs.msg import Image

from instseg3d_ros.messages.overlay import overlay_picture
from instseg3d_ros.ros.clouds import Received
from instseg3d_ros.segmentation.result import Result


def overlay_image(received: Received, result: Result) -> Image:
    """rgb8 image with the height and width of an organised cloud: objects are tinted, outlined and named."""
    picture = overlay_picture(received.cloud, result)
    height, width = picture.shape[:2]
    message = Image(header=received.header, height=height, width=width, encoding="rgb8", step=3 * width)
    message.data = array.array("B", picture.tobytes())
    return message

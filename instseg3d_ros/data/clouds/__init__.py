"""Reads and writes clouds: `read_cloud(path)`, `write_cloud(path, cloud)`; `bags` reads bags, which are streams."""

from instseg3d_ros.data.clouds.files import EXTENSIONS, find_inputs, is_bag, read_cloud, write_cloud, write_extended
from instseg3d_ros.messages.cloud import Cloud

__all__ = ["EXTENSIONS", "Cloud", "find_inputs", "is_bag", "read_cloud", "write_cloud", "write_extended"]

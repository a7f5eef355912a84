"""Decodes depth and colour images from objects with the attributes of sensor_msgs/Image or CompressedImage."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.messages.protocols import CompressedImage, Image

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage
    from typing_extensions import Buffer

# encoding → (type of a channel, number of channels, indices of red, green and blue)
COLORS = {
    "rgb8": ("u1", 3, (0, 1, 2)), "bgr8": ("u1", 3, (2, 1, 0)), "8UC3": ("u1", 3, (2, 1, 0)),
    "rgba8": ("u1", 4, (0, 1, 2)), "bgra8": ("u1", 4, (2, 1, 0)), "8UC4": ("u1", 4, (2, 1, 0)),
    "mono8": ("u1", 1, (0, 0, 0)), "8UC1": ("u1", 1, (0, 0, 0)),
}  # fmt: skip
DEPTHS = {"16UC1": "u2", "mono16": "u2", "32FC1": "f4"}
MILLIMETRES = np.float32(1000)  # depth of 16 bits is in millimetres (REP 118), of 32 bits in metres
CONFIG = struct.Struct("<iff")  # before the PNG of compressedDepth: format, and A and B of depth = A / (value - B)


def decode_depth(message: Image | CompressedImage) -> np.ndarray:
    """Depth (H, W) float32, in metres; 0 or NaN: no measurement. Raises InputError for other encodings."""
    if isinstance(message, CompressedImage):
        return _decode_compressed_depth(message)
    if message.encoding not in DEPTHS:
        raise InputError(f"depth image has encoding '{message.encoding}'; expected {', '.join(DEPTHS)}")
    depth = _pixels(message, DEPTHS[message.encoding], 1)[..., 0]
    return depth.astype(np.float32) / (MILLIMETRES if depth.dtype.kind == "u" else np.float32(1))


def decode_color(message: Image | CompressedImage) -> np.ndarray:
    """Colours (H, W, 3) uint8, red first. Raises InputError for other encodings."""
    if isinstance(message, CompressedImage):
        return np.asarray(_open(message.data, message.format).convert("RGB"))
    if message.encoding not in COLORS:
        raise InputError(f"colour image has encoding '{message.encoding}'; expected {', '.join(COLORS)}")
    kind, channels, order = COLORS[message.encoding]
    return _pixels(message, kind, channels)[..., list(order)]


def match_size(color: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """The colour image (H, W, 3) at the pixels of the depth image (h, w). Raises InputError if the sizes do not fit."""
    factor = color.shape[0] // depth.shape[0]
    if factor < 1 or color.shape[:2] != (factor * depth.shape[0], factor * depth.shape[1]):
        sizes = "{} × {} and {} × {}".format(*depth.shape[::-1], *color.shape[1::-1])
        raise InputError(f"depth and colour image have {sizes} pixels; register the depth image to the colour image")
    return color[::factor, ::factor]


def _pixels(message: Image, kind: str, channels: int) -> np.ndarray:
    """View (H, W, channels) of the message's bytes."""
    height, width, step = message.height, message.width, message.step
    dtype = np.dtype((">" if message.is_bigendian else "<") + kind)
    pixel = dtype.itemsize * channels
    data = memoryview(message.data).cast("B")
    if step < width * pixel or len(data) < step * (height - 1) + width * pixel:
        raise InputError(
            f"image of {width} × {height} pixels '{message.encoding}' has step {step} and {len(data)} bytes; "
            "the message is malformed"
        )
    return np.ndarray((height, width, channels), dtype, data, 0, (step, pixel, dtype.itemsize))


def _decode_compressed_depth(message: CompressedImage) -> np.ndarray:
    if "compressedDepth" not in message.format:
        raise InputError(f"compressed depth has format '{message.format}'; expected '…; compressedDepth png'")
    data = bytes(message.data)
    if len(data) < CONFIG.size or data[CONFIG.size : CONFIG.size + 4] != b"\x89PNG":
        raise InputError(f"compressed depth '{message.format}' holds no PNG; set the camera's compression to png")
    _, a, b = CONFIG.unpack_from(data)
    values = np.asarray(_open(data[CONFIG.size :], message.format)).astype(np.float32)
    if message.format.startswith("32FC1"):  # inverse depth in 16 bits
        with np.errstate(divide="ignore"):
            return np.where(values > 0, np.float32(a) / (values - np.float32(b)), np.float32(np.nan))
    return values / MILLIMETRES


def _open(data: Buffer, what: str) -> PillowImage:
    try:
        from PIL.Image import open as open_image
    except ImportError:
        raise InputError("compressed images need Pillow; pip install pillow, or subscribe to the raw image") from None
    try:
        image = open_image(io.BytesIO(bytes(data)))
        image.load()
        return image
    except Exception as error:  # Pillow raises many types of exceptions for damaged files
        raise InputError(
            f"compressed image '{what}' cannot be decoded ({' '.join(str(error).split())[:100]})"
        ) from None

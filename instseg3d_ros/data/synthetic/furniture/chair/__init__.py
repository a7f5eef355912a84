"""Chairs: upholstered, on frames, for occasions, and special ones."""

from instseg3d_ros.data.synthetic.registry import register

FILES = ("upholstered", "framed", "occasional", "special")
register(__name__, FILES)

"""Chairs: upholstered, framed, occasional and special chairs."""

from instseg3d_ros.data.synthetic.registry import register

FILES = ("upholstered", "framed", "occasional", "special")
register(__name__, FILES)

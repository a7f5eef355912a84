"""Desks: desks of offices, and boards on frames and stands."""

from instseg3d_ros.data.synthetic.registry import register

FILES = ("offices", "frames_and_stands")
register(__name__, FILES)

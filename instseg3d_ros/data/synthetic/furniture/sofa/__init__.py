"""Sofas: to lounge on, and to sit on."""

from instseg3d_ros.data.synthetic.registry import register

FILES = ("lounges", "seats")
register(__name__, FILES)

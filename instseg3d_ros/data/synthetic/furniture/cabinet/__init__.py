"""Cabinets: household pieces, drawers, cupboards, built-in cabinets."""

from instseg3d_ros.data.synthetic.registry import register

FILES = ("household", "drawers", "cupboards", "built_in")
register(__name__, FILES)

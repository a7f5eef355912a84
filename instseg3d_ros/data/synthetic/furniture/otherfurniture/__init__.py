"""Furniture of class otherfurniture: appliances, things on walls, household pieces, racks and wheels."""

from instseg3d_ros.data.synthetic.registry import register

FILES = ("appliances", "wall_mounted", "household", "racks_and_wheels")
register(__name__, FILES)

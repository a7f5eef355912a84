"""Segmentation of recordings and files without a robot, as the command `segment` runs it for each input."""

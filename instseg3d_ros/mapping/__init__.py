"""A map of objects from many views. Cells hold evidence; objects merge, split, move and disappear with it.

from instseg3d_ros import ObjectMap
"""

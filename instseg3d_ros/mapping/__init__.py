"""A map of objects from many views: evidence in hashed cells, objects that may merge, split, move and go.

from instseg3d_ros import ObjectMap
"""

"""Rooms and tabletops as a depth camera on a robot sees them, labelled, from nothing but a seed.

    primitives → parts → furniture and objects (constructions, see `registry`) → layouts, tabletop
               → render → sensor → Scene (see `instseg3d_ros.data.scene`)

Nothing here is needed to run a trained network.
"""

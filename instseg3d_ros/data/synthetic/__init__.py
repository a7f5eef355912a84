"""Generator of labelled frames of rooms and tabletops, as a robot's depth camera measures them.

    primitives → parts → furniture and objects (constructions, see `registry`) → layouts, tabletop
               → render → sensor → Scene (see `instseg3d_ros.data.scene`)

A seed determines each scene. The segmenter does not use this package.
"""

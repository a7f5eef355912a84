"""Generator of labelled rooms and tabletops as a robot's depth camera sees them; a seed determines each scene.

    primitives → parts → furniture and objects (constructions, see `registry`) → layouts, tabletop
               → render → sensor → Scene (see `instseg3d_ros.data.scene`)

Nothing here is needed to run a trained network.
"""

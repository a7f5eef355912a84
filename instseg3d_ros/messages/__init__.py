"""Content of the node's messages, without ROS. The node, the bag writer and the player use these functions."""

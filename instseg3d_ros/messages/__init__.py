"""What the node's messages contain, without ROS: the node, the bag writer and the player wrap these functions."""

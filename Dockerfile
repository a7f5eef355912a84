# The node in a container: docker build -t instseg3d . ; docker compose up
# ROS_DISTRO: jazzy, humble or kilted; TORCH_INDEX: https://download.pytorch.org/whl/cu126 for CUDA.
ARG ROS_DISTRO=jazzy
FROM ros:${ROS_DISTRO}-ros-base
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG EXTRA=
SHELL ["/bin/bash", "-c"]

WORKDIR /ros2_ws
COPY package.xml src/instseg3d_ros/package.xml
# RViz runs outside of the container; all other dependencies of ROS are installed with apt.
RUN apt-get update && rosdep update --rosdistro $ROS_DISTRO \
 && rosdep install --from-paths src --ignore-src -y --skip-keys rviz2 \
 && rm -rf /var/lib/apt/lists/*
COPY requirements/workspace.txt src/instseg3d_ros/requirements/workspace.txt
RUN python3 -m venv --system-site-packages venv && touch venv/COLCON_IGNORE \
 && venv/bin/pip install --no-cache-dir --extra-index-url $TORCH_INDEX \
    -r src/instseg3d_ros/requirements/workspace.txt $EXTRA
COPY . src/instseg3d_ros
RUN source /opt/ros/$ROS_DISTRO/setup.bash && source venv/bin/activate \
 && colcon build --packages-select instseg3d_ros

ENV PATH=/ros2_ws/venv/bin:$PATH
RUN printf '#!/bin/bash\nset -e\nsource /ros2_ws/install/setup.bash\nexec "$@"\n' > /entrypoint.sh && chmod +x /entrypoint.sh
ENTRYPOINT ["/entrypoint.sh"]
CMD ["ros2", "launch", "instseg3d_ros", "segment.launch.py"]

"""C++ kernels for CPUs, compiled at first use; everything here has a plain torch twin."""

"""C++ kernels for CPUs, compiled at first use. Each kernel has a twin of plain torch operations."""

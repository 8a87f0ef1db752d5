"""A real node: kubelet and containerd of this machine, for tests that need containers.

Only for root on Linux with Debian's packages, and only inside `alone`: what a node touches
(network, mounts, processes) is then gone with the process that started it, however that ends.
"""

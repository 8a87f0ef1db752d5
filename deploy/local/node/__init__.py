"""A real node: kubelet and containerd on this machine, for tests that need containers.

Only for root on Linux with Debian's packages, and only inside `alone`: the node's network, mounts
and processes then end with the process that started it, however that ends.
"""

"""Go programs built once from pinned modules: the control plane, and the tools of `toolset`."""

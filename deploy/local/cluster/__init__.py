"""A Kubernetes control plane on this machine: its processes, certificates, an API client."""

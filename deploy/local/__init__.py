"""Krkn-grpc on one machine: a real Kubernetes control plane, and the services on top of it.

Here belongs what builds, starts, watches and stops processes on loopback: the control plane's
components, the server, the controller and Envoy. Nothing in here is part of the product: the
product's own packages never import it.
"""

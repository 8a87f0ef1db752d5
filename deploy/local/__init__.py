"""Krkn-grpc on one machine: a real Kubernetes control plane, and the services on top of it.

This package builds, starts, supervises and stops processes on loopback: the control plane's
components, the server, the controller and Envoy. It is not part of the product: the product's own
packages never import it.
"""

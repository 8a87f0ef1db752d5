"""Writes and reads container images as OCI archives, without a registry or an image builder."""

"""Typed clients to read and to start from."""

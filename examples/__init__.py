"""Example clients in typed Python, to read and to start from."""

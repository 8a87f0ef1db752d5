"""Builds the container image from Debian packages, the locked wheels and this tree: `make image`.

No Docker, no registry, no root: apt-get and pip fetch, and everything else is files. The same
packages and the same commit give the same file. docs/image.md says what is in it.
"""

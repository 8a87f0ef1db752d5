"""The media types and annotations that the OCI image format names."""

_MEDIA = "application/vnd.oci.image"

LAYER = f"{_MEDIA}.layer.v1.tar"
CONFIGURATION = f"{_MEDIA}.config.v1+json"
MANIFEST = f"{_MEDIA}.manifest.v1+json"
INDEX = f"{_MEDIA}.index.v1+json"

NAME = "io.containerd.image.name"
"""The name that containerd gives an image which it imports."""
TAG = "org.opencontainers.image.ref.name"
"""The tag that other tools read."""

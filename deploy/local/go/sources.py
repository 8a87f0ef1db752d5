"""Files of other projects' Go modules, such as their resource definitions: pinned, fetched once.

Go keeps them in its own module cache. Nothing of them is built.
"""

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StartError
from deploy.local.go.module import ENVIRONMENT
from deploy.local.go.toolchain import go_binary
from deploy.local.progress import Progress

_SECONDS = 300


@dataclass(frozen=True)
class Source:
    """A version of a Go module, with the hash of its content as go.sum has it."""

    module: str
    version: str
    content: str


PROMETHEUS_OPERATOR = Source(
    "github.com/prometheus-operator/prometheus-operator",
    "v0.85.0",
    "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
)

ISTIO_API = Source("istio.io/api", "v1.32.0", "h1:37mJvg9I0biYZAEQF+MATs4FNeCpXEIVO3LFpVb6iNM=")
GATEWAY_API = Source(
    "sigs.k8s.io/gateway-api", "v1.6.3", "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc="
)
CERT_MANAGER = Source(
    "github.com/cert-manager/cert-manager",
    "v1.21.2",
    "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
)


def source_folder(source: Source, progress: Progress) -> Path:
    """Return the folder of the module's files, fetched if need be; raises StartError.

    The files are read-only.
    """
    go = go_binary(progress)
    # In no module of ours, whose own requirements would have a say.
    with tempfile.TemporaryDirectory() as nowhere:
        command = [str(go), "mod", "download", "-json", f"{source.module}@{source.version}"]
        try:
            ran = subprocess.run(  # noqa: S603  # the pinned module
                command,
                cwd=nowhere,
                env={**os.environ, **ENVIRONMENT},
                capture_output=True,
                text=True,
                check=False,
                timeout=_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise StartError(f"{source.module} could not be fetched: {error}") from None
    try:
        told = json.loads(ran.stdout)
    except ValueError:
        told = {"Error": ran.stderr.strip() or "no answer of go"}
    if why := told.get("Error"):
        raise StartError(f"{source.module} {source.version} could not be fetched: {why}")
    if told["Sum"] != source.content:
        raise StartError(
            f"{source.module} {source.version} is {told['Sum']}, and should be {source.content}"
        )
    return Path(told["Dir"])

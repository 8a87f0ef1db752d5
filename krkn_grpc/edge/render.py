"""Renders the configuration of Envoy: `python -m envoy.render [DIRECTORY]`.

Without a directory the configuration goes to standard output: one file that needs no other, but
for TLS. With one, all files are written there.
"""

import base64
import ipaddress
import sys
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import ValidationError

from envoy.command import WORKERS
from envoy.limits import MAX_BODY_BYTES, MAX_HEADER_KIB
from envoy.pages import pages
from envoy.refusals import REFUSALS
from envoy.rest_calls import DESCRIPTOR_SET, RestApi, segment_pattern
from envoy.script import UploadLimits, door_script
from envoy.settings import EnvoySettings

CONFIG = "envoy.yaml"

CERTIFICATE = "certificate.yaml"
CLIENT_CA = "client_ca.yaml"

_SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret"


def render(settings: EnvoySettings) -> str:
    """Return the configuration as YAML. The same settings give the same text."""
    descriptor_set = DESCRIPTOR_SET.read_bytes()
    api = RestApi(descriptor_set)
    local_only = settings.auth == "none"
    own_pages = pages(local_only=local_only)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML, and every value is one of ours
        keep_trailing_newline=True,
    )
    return templates.get_template("envoy.yaml.j2").render(
        settings=settings,
        services=api.services,
        stream_paths="|".join(
            segment_pattern(call.path, "[^/]+", r"\\") for call in api.calls if call.is_stream
        ),
        script=door_script(
            api,
            pages=[page.path for page in own_pages],
            max_body_bytes=MAX_BODY_BYTES,
            uploads=_upload_limits(settings),
            local_only=local_only,
        ),
        pages=own_pages,
        descriptor_set=base64.b64encode(descriptor_set).decode(),
        refusals=REFUSALS,
        max_body_bytes=MAX_BODY_BYTES,
        max_header_kib=MAX_HEADER_KIB,
        grpc_host_is_address=_is_address(settings.grpc_host),
        certificate_file=str(settings.envoy_directory / CERTIFICATE),
        client_ca_file=str(settings.envoy_directory / CLIENT_CA),
    )


def _upload_limits(settings: EnvoySettings) -> UploadLimits:
    """Return what requests may hold that are on their way: half of the heap, by all workers."""
    all_bytes = settings.envoy_max_heap_mib * 2**20 // 2 // WORKERS
    return UploadLimits(all_bytes, all_bytes // 4, settings.body_timeout_seconds)


def render_files(settings: EnvoySettings) -> dict[str, str]:
    """Return all files that Envoy needs in its configuration directory, by name."""
    files = {CONFIG: render(settings)}
    if settings.tls == "on" and settings.tls_directory is not None:
        directory = settings.tls_directory
        certificate = {
            "certificate_chain": {"filename": str(directory / "tls.crt")},
            "private_key": {"filename": str(directory / "tls.key")},
            "watched_directory": {"path": str(directory)},
        }
        files[CERTIFICATE] = _secret("certificate", tls_certificate=certificate)
        if settings.tls_client_certificates:
            authority = {
                "trusted_ca": {"filename": str(directory / "ca.crt")},
                "watched_directory": {"path": str(directory)},
            }
            files[CLIENT_CA] = _secret("client_ca", validation_context=authority)
    return files


def _secret(name: str, **content: object) -> str:
    return yaml.safe_dump({"resources": [{"@type": _SECRET, "name": name, **content}]})


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Render for the settings of the environment; return the exit code."""
    try:
        if not arguments:
            sys.stdout.write(render(EnvoySettings()))
            return 0
        directory = Path(arguments[0])
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in render_files(EnvoySettings(envoy_directory=directory.resolve())).items():
            (directory / name).write_text(text)
    except ValidationError as error:
        for problem in error.errors():
            where = "".join(f"KRKN_{str(name).upper()}: " for name in problem["loc"])
            sys.stderr.write(where + problem["msg"].removeprefix("Value error, ") + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

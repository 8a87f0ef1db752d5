"""Makes envoy/openapi.yaml, the OpenAPI document of the REST calls, from the protos.

python proto/openapi.py           writes it
python proto/openapi.py --check   writes nothing; fails when it is not fresh, or when a generator
                                  of grpc-gateway does not take the protos as they are

The generators are Go programs: they are built once (deploy/local/go/tools.py).
"""

import argparse
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

import yaml
from generate import PROTOS, ROOT, ProtocError, compile_descriptor_set, protoc
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from openapi_document import Tree, document

DOCUMENT = ROOT / "envoy/openapi.yaml"
OPENAPI, GATEWAY = "protoc-gen-openapi", ("protoc-gen-grpc-gateway", "protoc-gen-openapiv2")
HEADER = "# Made from the protos by `make proto`. Served as JSON at /api/v1/openapi.json.\n"


class Lines(yaml.SafeDumper):
    """YAML as one writes it: texts of several lines as blocks, and no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - not every reader knows them
        """Write everything out."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Lines.add_representer(str, _text)


def tools(*names: str) -> list[str]:
    """Return where the Go tools are, after building what is missing."""
    command = [sys.executable, "-m", "deploy.local.go.tools", *names]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ProtocError("the Go tools could not be built; why stands above")
    return done.stdout.split()


def generated(scratch: Path) -> Tree:
    """Return what the generator makes of the protos."""
    (plugin,) = tools(OPENAPI)
    options = "naming=json,default_response=false"
    protoc(PROTOS, f"--plugin={OPENAPI}={plugin}", f"--openapi_out={options}:{scratch}")
    made: Tree = yaml.safe_load((scratch / "openapi.yaml").read_text())
    return made


def text() -> str:
    """Return the document as it should be."""
    version: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        compile_descriptor_set(PROTOS, scratch / "protos.binpb")
        protos = FileDescriptorSet.FromString((scratch / "protos.binpb").read_bytes())
        made = document(generated(scratch), protos, version)
    return HEADER + yaml.dump(made, Dumper=Lines, sort_keys=False, width=100, allow_unicode=True)


def try_gateway() -> None:
    """Run the generators of grpc-gateway; raises ProtocError for all that they say."""
    plugins = [
        f"--plugin={name}={path}" for name, path in zip(GATEWAY, tools(*GATEWAY), strict=True)
    ]
    with tempfile.TemporaryDirectory() as out:
        outputs = [f"--{kind}_out={out}" for kind in ("grpc-gateway", "openapiv2")]
        protoc(PROTOS, *plugins, *outputs)


def main() -> int:
    """Write the document, or with --check compare; the exit code says whether all is well."""
    parser = argparse.ArgumentParser(description="Make the OpenAPI document from the protos.")
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    arguments = parser.parse_args()
    try:
        tools(OPENAPI, *GATEWAY)  # at once, because they share most of a build
        if not arguments.check:
            DOCUMENT.write_text(text())
            return 0
        try_gateway()
        if DOCUMENT.exists() and DOCUMENT.read_text() == text():
            return 0
    except ProtocError as error:
        print(error, file=sys.stderr)
        return 1
    print("envoy/openapi.yaml is not fresh: run make proto", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

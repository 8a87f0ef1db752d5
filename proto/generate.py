"""Makes all that comes from the protos: the Python package and Envoy's descriptor set.

Run it after each change of a .proto file and commit what it writes:

    python proto/generate.py           writes krkn_grpc/v1/*_pb2* and envoy/krkn_v1.binpb
    python proto/generate.py --check   writes nothing; fails when what is there differs
"""

import argparse
import importlib.util
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "proto"
PYTHON = Path("krkn_grpc/v1")
DESCRIPTOR_SET = Path("envoy/krkn_v1.binpb")

# The protos import it for gateways, not for themselves (targets.proto says why).
EXPECTED_WARNING = "warning: Import google/rpc/error_details.proto is unused."


class ProtocError(Exception):
    """What protoc or one of its plugins said."""


def google_protos() -> Path:
    """Find the folder that holds google/api and google/rpc."""
    package = importlib.util.find_spec("google.api")
    if package is None or not package.submodule_search_locations:
        raise ProtocError("the Python package googleapis-common-protos is not installed")
    return Path(package.submodule_search_locations[0]).parent.parent


def protoc(protos: Path, *arguments: str) -> None:
    """Compile all files under `protos`; a warning is an error."""
    files = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    include = [f"--proto_path={protos}", f"--proto_path={google_protos()}"]
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", *include, *arguments, *files],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if EXPECTED_WARNING not in line]
    if done.returncode or said:
        raise ProtocError("\n".join(said) or f"protoc ended with {done.returncode}")


def compile_descriptor_set(protos: Path, target: Path, *options: str) -> None:
    """Write `protos` and all that they import as one FileDescriptorSet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    protoc(protos, "--include_imports", *options, f"--descriptor_set_out={target}")


def generate(out: Path) -> None:
    """Write everything below `out`, at the same paths as in the repository."""
    out.mkdir(parents=True, exist_ok=True)
    scripts = Path(sysconfig.get_path("scripts"))
    protoc(
        PROTOS,
        f"--plugin=protoc-gen-mypy={scripts / 'protoc-gen-mypy'}",
        f"--plugin=protoc-gen-mypy_grpc={scripts / 'protoc-gen-mypy_grpc'}",
        f"--python_out={out}",
        f"--grpc_python_out={out}",
        f"--mypy_out=quiet:{out}",
        f"--mypy_grpc_out=quiet:{out}",
    )
    compile_descriptor_set(PROTOS, out / DESCRIPTOR_SET)


def generated_files(root: Path) -> dict[Path, bytes]:
    """Read what is generated below `root`, by path."""
    paths = [*(root / PYTHON).glob("*_pb2*.py*"), root / DESCRIPTOR_SET]
    return {path.relative_to(root): path.read_bytes() for path in paths if path.is_file()}


def differences(root: Path = ROOT) -> list[str]:
    """One line for each file below `root` that is not what the protos make."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = generated_files(Path(scratch))
    present = generated_files(root)
    missing = [f"{path}: missing" for path in fresh.keys() - present.keys()]
    leftover = [f"{path}: no proto makes it" for path in present.keys() - fresh.keys()]
    stale = [
        f"{path}: stale" for path in fresh.keys() & present.keys() if fresh[path] != present[path]
    ]
    return sorted([*missing, *leftover, *stale])


def write() -> None:
    """Bring the repository up to date, and take away what no proto makes any more."""
    with tempfile.TemporaryDirectory() as scratch:
        generate(Path(scratch))
        fresh = generated_files(Path(scratch))
    for path in generated_files(ROOT).keys() - fresh.keys():
        (ROOT / path).unlink()
    for path, content in fresh.items():
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_bytes(content)


def main() -> int:
    """Generate, or with --check compare; the exit code says whether all is well."""
    parser = argparse.ArgumentParser(description="Generate code from the protos.")
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    arguments = parser.parse_args()
    try:
        if not arguments.check:
            write()
            return 0
        found = differences()
    except ProtocError as error:
        print(error, file=sys.stderr)
        return 1
    for line in found:
        print(line, file=sys.stderr)
    if found:
        print("Generated code is not fresh: run python proto/generate.py", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes the clients in Go and TypeScript from the protos, by buf and buf.gen.yaml.

    python proto/clients.py           writes clients/go/krkn and clients/typescript/gen
    python proto/clients.py --check   writes nothing; fails when what is there differs

The plugins are Go programs (deploy/local/go/tools.py) and an npm package
(deploy/local/client_tools.py); each is got once.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from check import BUF
from generate import PROTOS, ROOT, ProtocError, compile_descriptor_set

GENERATED = (Path("clients/go/krkn"), Path("clients/typescript/gen"))
GO_PLUGINS = ("protoc-gen-go", "protoc-gen-go-grpc")


def _printed(module: str, *arguments: str) -> list[Path]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise ProtocError("the plugins could not be had; why stands above")
    return [Path(line) for line in done.stdout.splitlines()]


def generate(out: Path) -> None:
    """Write the clients below `out`, at the same paths as in the repository."""
    go = {plugin.parent for plugin in _printed("deploy.local.go.tools", *GO_PLUGINS)}
    folders = [*go, *_printed("deploy.local.client_tools")]
    image = out / "protos.binpb"
    compile_descriptor_set(PROTOS, image, "--include_source_info")
    command: list[str | Path] = [BUF, "generate", image, "--path", "krkn_grpc", "--output", out]
    path = os.pathsep.join([*map(str, folders), os.environ["PATH"]])
    done = subprocess.run(
        [*command, "--template", ROOT / "buf.gen.yaml"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or done.stderr:
        raise ProtocError(done.stderr or f"buf ended with {done.returncode}")


def generated_files(root: Path) -> dict[Path, bytes]:
    """Read the generated clients below `root`, by path."""
    paths = [path for folder in GENERATED for path in (root / folder).rglob("*") if path.is_file()]
    return {path.relative_to(root): path.read_bytes() for path in paths}


def main() -> int:
    """Generate, or with --check compare; the exit code says whether all is well."""
    parser = argparse.ArgumentParser(description="Generate the clients in Go and TypeScript.")
    parser.add_argument("--check", action="store_true", help="compare only; write nothing")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        try:
            generate(Path(scratch))
        except ProtocError as error:
            print(error, file=sys.stderr)
            return 1
        fresh = generated_files(Path(scratch))
        if not arguments.check:
            for folder in GENERATED:
                shutil.rmtree(ROOT / folder, ignore_errors=True)
                shutil.copytree(Path(scratch) / folder, ROOT / folder)
            return 0
    present = generated_files(ROOT)
    paths = fresh.keys() | present.keys()
    stale = sorted(path for path in paths if fresh.get(path) != present.get(path))
    for path in stale:
        print(f"{path}: not what the protos make: run make proto", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())

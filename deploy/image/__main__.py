"""The command: `python -m deploy.image [build|verify]`.

python -m deploy.image                      builds dist/krkn-grpc.oci.tar for amd64
python -m deploy.image build --arch arm64   builds dist/krkn-grpc-arm64.oci.tar
python -m deploy.image verify FILE          checks an archive that is there
"""

import argparse
import sys
from pathlib import Path

from deploy.image import verify
from deploy.image.build import NAME, build
from deploy.image.target import DIST, TARGETS
from deploy.local.errors import StartError
from deploy.local.processes.signals import interrupted_by_sigterm
from deploy.local.progress import Progress


def main() -> None:
    """Run the command; see the module."""
    parser = argparse.ArgumentParser(prog="make image", description="Build the container image.")
    parser.add_argument("do", nargs="?", choices=("build", "verify"), default="build")
    parser.add_argument("archive", nargs="?", type=Path, default=DIST / "krkn-grpc.oci.tar")
    parser.add_argument("--arch", choices=sorted(TARGETS), default="amd64")
    parser.add_argument("--name", default=NAME, help="the image's full name, with a tag")
    parser.add_argument("--output", type=Path, default=DIST, help="the folder to write to")
    told = parser.parse_args()
    try:
        with interrupted_by_sigterm():
            sys.exit(_verify(told.archive) if told.do == "verify" else _build(told))
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _build(told: argparse.Namespace) -> int:
    built = build(TARGETS[told.arch], told.output, Progress(), name=told.name)
    size = built.archive.stat().st_size / 2**20
    sys.stdout.write(f"{built.archive}  {size:.1f} MiB\n{built.sbom}\n{built.digest}\n")
    return 0


def _verify(archive: Path) -> int:
    problems = verify.problems(archive)
    sys.stdout.write("".join(f"{problem}\n" for problem in problems or ["as it should be"]))
    return 1 if problems else 0


if __name__ == "__main__":
    main()

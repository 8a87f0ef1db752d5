"""Checks the protos: format, lint, no breaking change, generated code fresh.

Breaking changes are looked for since the last commit, or with `--against` since any other commit,
tag or branch:

    python proto/check.py [--against COMMIT]
"""

import argparse
import io
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

from generate import PROTOS, ROOT, ProtocError, compile_descriptor_set, differences

BUF = Path(sysconfig.get_path("scripts")) / "buf"
RULES = ["--config", str(ROOT / "buf.yaml")]
# What protoc compiled holds the google protos too; they are not ours to lint.
OURS = ["--path", "krkn_grpc"]


def complaints(*command: str | Path) -> list[str]:
    """Run a command and return what it said if it failed; nothing if it passed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return []
    return [*done.stdout.splitlines(), *done.stderr.splitlines()] or [f"{command[0]} failed"]


def compiled(protos: Path, scratch: Path, name: str) -> Path:
    """`protos` as one image that buf reads, with the comments."""
    image = scratch / f"{name}.binpb"
    compile_descriptor_set(protos, image, "--include_source_info")
    return image


def protos_at(commit: str, scratch: Path) -> Path | None:
    """Return the protos as they were at `commit`; None when it has none."""
    archive = subprocess.run(
        ["git", "archive", commit, "proto"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        return None
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(scratch, filter="data")
    return scratch / "proto"


def format_problems() -> list[str]:
    """Find where `buf format` would change a file."""
    return complaints(BUF, "format", PROTOS, "--diff", "--exit-code")


def lint_problems(image: Path) -> list[str]:
    """Find what breaks a rule of buf.yaml."""
    return complaints(BUF, "lint", image, *RULES, *OURS)


def breaking_problems(image: Path, before: Path) -> list[str]:
    """Find what a client of `before` would stumble over."""
    return complaints(BUF, "breaking", image, "--against", before, *RULES, *OURS)


def run_checks(against: str | None) -> dict[str, list[str]]:
    """Each check by name, with what it found."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        image = compiled(PROTOS, scratch, "now")
        found = {"format": format_problems(), "lint": lint_problems(image)}
        before = protos_at(against or "HEAD", scratch)
        if before is not None:
            found["breaking"] = breaking_problems(image, compiled(before, scratch, "before"))
        elif against is not None:
            found["breaking"] = [f"{against} is not a commit that has protos"]
        found["generated code"] = differences()
    return found


def main() -> int:
    """Run all checks; the exit code says whether all passed."""
    parser = argparse.ArgumentParser(description="Check the protos.")
    parser.add_argument("--against", metavar="COMMIT", help="compare with this commit's protos")
    try:
        found = run_checks(parser.parse_args().against)
    except ProtocError as error:
        print(error, file=sys.stderr)
        return 1
    for name, lines in found.items():
        print(f"protos: {name}: {'failed' if lines else 'ok'}")
        for line in lines:
            print(f"  {line}", file=sys.stderr)
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())

"""The page, built once from page/ into the cache: its files are as they are served.

As a command, `python -m deploy.local.page`
    build    builds it, if its sources have changed, and prints the folder with index.html
    check    checks format, types and lint of its sources, and runs their unit tests
    format   formats its sources
    dev      runs Vite's development server, which passes calls on to KRKN_SERVER
    types    writes its types of the API from the OpenAPI document, or with --check compares them
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.local.cache import cache_folder, only_one
from deploy.local.client_tools import node_modules, node_programs
from deploy.local.errors import StartError
from deploy.local.progress import Progress

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "page"
TYPES = PAGE / "src" / "api" / "schema.d.ts"
OPENAPI = REPOSITORY / "envoy" / "openapi.yaml"

_NOT_SOURCES = ("node_modules", "dist")
_VITE = ("vite", "bin", "vite.js")
_PRETTIER = ("prettier", "bin", "prettier.cjs")
_CHECKS = (
    (_PRETTIER, ("--check", "--log-level", "warn", ".")),
    (("typescript", "bin", "tsc"), ()),
    (("eslint", "bin", "eslint.js"), ("src", "--max-warnings", "0")),
    (("vitest", "vitest.mjs"), ("run", "--reporter", "dot")),
)


def page(progress: Progress) -> Path:
    """Return the folder with the built page, index.html and assets/; raises StartError."""
    folder = cache_folder() / f"page-{_digest()}"
    with only_one(
        folder.name, lambda: progress.note("waiting for another start to build the page")
    ):
        if not folder.exists():
            _build(folder, progress)
    return folder


def _build(folder: Path, progress: Progress) -> None:
    modules = node_modules(progress, PAGE)
    progress.note("building the page (once; some seconds)")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as scratch:
        # Of a copy: a change of the sources meanwhile does not get into this folder.
        copy = Path(scratch) / PAGE.name
        shutil.copytree(PAGE, copy, ignore=shutil.ignore_patterns(*_NOT_SOURCES))
        (copy / "node_modules").symlink_to(modules)
        done = _node(modules, _VITE, ("build", "--logLevel", "error"), copy, progress, quiet=True)
        if done.returncode:
            raise StartError(f"the page could not be built:\n{(done.stdout + done.stderr).strip()}")
        os.replace(copy / "dist", folder)


def _digest() -> str:
    """Return what names the build of these sources and packages."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(f"{path.relative_to(PAGE)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    for path in sorted(PAGE.rglob("*")):
        if path.relative_to(PAGE).parts[0] not in _NOT_SOURCES and path.is_file():
            yield path


def _linked(progress: Progress) -> Path:
    """Return the packages, after linking them into page/, where editors look for them, too."""
    modules, link = node_modules(progress, PAGE), PAGE / "node_modules"
    if link.is_symlink() and link.readlink() != modules:
        link.unlink()
    if not link.exists():
        link.symlink_to(modules)
    return modules


def _node(
    modules: Path,
    program: tuple[str, ...],
    arguments: tuple[str, ...],
    folder: Path,
    progress: Progress,
    *,
    quiet: bool = False,
) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [node_programs(progress) / "node"]
    command += [modules.joinpath(*program), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=quiet, text=True, check=False)  # noqa: S603


def _run(program: tuple[str, ...], arguments: tuple[str, ...], progress: Progress) -> int:
    return _node(_linked(progress), program, arguments, PAGE, progress).returncode


def _check(progress: Progress) -> int:
    failed = [_run(program, arguments, progress) for program, arguments in _CHECKS]
    return int(any(failed))


def _types(progress: Progress, *, compare: bool) -> int:
    modules = node_modules(progress, PAGE)
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / TYPES.name
        program = ("openapi-typescript", "bin", "cli.js")
        done = _node(
            modules, program, (str(OPENAPI), "--output", str(made)), PAGE, progress, quiet=True
        )
        if done.returncode:
            raise StartError(f"the page's types could not be made:\n{done.stderr.strip()}")
        if not compare:
            shutil.copy(made, TYPES)
        elif not TYPES.exists() or TYPES.read_bytes() != made.read_bytes():
            sys.stderr.write(f"{TYPES.relative_to(REPOSITORY)} is not fresh: run make proto\n")
            return 1
    return 0


def main() -> int:
    """Run the command; see the module."""
    parser = argparse.ArgumentParser(prog="deploy.local.page")
    parser.add_argument("command", choices=["build", "check", "format", "dev", "types"])
    parser.add_argument("--check", action="store_true", help="of types: compare only")
    arguments = parser.parse_args()
    progress = Progress()
    try:
        match arguments.command:
            case "build":
                sys.stdout.write(f"{page(progress)}\n")
                return 0
            case "check":
                return _check(progress)
            case "format":
                return _run(_PRETTIER, ("--write", "--log-level", "warn", "."), progress)
            case "types":
                return _types(progress, compare=arguments.check)
            case _:
                return _run(_VITE, (), progress)
    except StartError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

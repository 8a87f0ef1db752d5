"""The lowest layer: Debian's Python and the libraries that it, Envoy and the wheels need.

The packages are unpacked and not installed: their scripts need a shell. What the scripts would do
and a process needs is done here: the bundle of certificate authorities, the user, the links.
"""

import re
import subprocess
import tarfile
from collections.abc import Iterable
from pathlib import Path

from deploy.image.debian import Package
from deploy.image.target import CODENAME, PYTHON, USER
from deploy.local.errors import StartError

_AUTHORITIES = "usr/share/ca-certificates/mozilla"
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"

# Nothing else of a package comes in: no shell scripts, no pages, no configuration of programs.
_KEPT = re.compile(
    rf"""
    usr/bin/python{re.escape(PYTHON)}
    | usr/lib(64)?/.+
    | etc/(os-release|debian_version)
    | usr/share/common-licenses/.+
    | usr/share/doc/[^/]+(/copyright)?  # a folder, or a link to that of another package
    | {_AUTHORITIES}/.+
    """,
    re.VERBOSE,
)
_LEFT_OUT = re.compile(
    rf"""
    usr/lib/[^/]+/(gconv|engines-3|audit)(/.*)?  # character sets, hardware
    | usr/lib/[^/]+/lib(memusage|pcprofile|thread_db|_malloc_debug).*  # for debuggers
    | usr/lib/(valgrind|debug|mime|binfmt\.d)(/.*)?
    | usr/lib/python{re.escape(PYTHON)}/(
        sitecustomize\.py  # reports crashes to Ubuntu
        | EXTERNALLY-MANAGED | ensurepip | test | pydoc_data  # of people at a terminal
        | __pycache__ | _sysconfigdata_d.*
        | sqlite3 | curses | dbm  # of libraries that the image has not
        | lib-dynload/(_sqlite3|_curses|_curses_panel|_dbm|_gdbm|_tkinter|readline|nis|_crypt)\..*
        | lib-dynload/(_test|_xx|xx|_ctypes_test).*
      )(/.*)?
    """,
    re.VERBOSE,
)
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/nonexistent\n"
    f"krkn:x:{USER}:{USER}:krkn-grpc:/home/krkn:/nonexistent\n",
    "etc/group": f"root:x:0:\nkrkn:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "usr/bin/python": f"python{PYTHON}",
    "usr/bin/python3": f"python{PYTHON}",
    # Where OpenSSL looks if nobody tells it.
    "usr/lib/ssl/cert.pem": f"/{_BUNDLE}",
}
# Empty: a read-only root needs them to mount on.
_FOLDERS = ("dev", "proc", "sys", "run", "tmp", "var/run", "home/krkn")


def unpack(packages: Iterable[Package], root: Path) -> None:
    """Make the root file system; raises StartError if the packages are not Debian 12's."""
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True)
    for package in packages:
        _unpack(package, root)
        # Scanners read which packages there are here, as in other images without dpkg.
        status = root / "var/lib/dpkg/status.d" / package.name
        status.parent.mkdir(parents=True, exist_ok=True)
        status.write_text(package.control)
    release = (root / "usr/lib/os-release").read_text()
    if f"VERSION_CODENAME={CODENAME}\n" not in release:
        msg = f"the image needs packages of Debian 12 ({CODENAME}); apt has others here"
        raise StartError(msg)
    _gather_authorities(root)
    for path, text in _FILES.items():
        (root / path).write_text(text)
    for path, link in _LINKS.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(link)


def place(name: str) -> str | None:
    """Return where a package's file goes, relative to the root; None if it is left out."""
    path = name.removeprefix("./").strip("/")
    # Debian 12 has one folder where its packages still name two.
    if re.match(r"(bin|sbin|lib|lib64)(/|$)", path):
        path = f"usr/{path}"
    return path if _KEPT.fullmatch(path) and not _LEFT_OUT.fullmatch(path) else None


def _unpack(package: Package, root: Path) -> None:
    command = ["dpkg-deb", "--fsys-tarfile", str(package.archive)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as process,  # noqa: S603
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for member in archive:
            _place(archive, member, root)
    if process.returncode:
        msg = f"{package.archive.name} cannot be read"
        raise StartError(msg)


def _place(archive: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    where = place(member.name)
    if where is None or member.isdir():
        return
    path = root / where
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.issym():
        path.symlink_to(member.linkname)
        return
    content = archive.extractfile(member)
    if content is None:
        msg = f"{member.name} is neither a file nor a link"
        raise StartError(msg)
    path.write_bytes(content.read())
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def _gather_authorities(root: Path) -> None:
    """Write the bundle as `update-ca-certificates` would, and remove its parts."""
    parts = sorted((root / _AUTHORITIES).glob("*.crt"))
    (root / _BUNDLE).parent.mkdir(parents=True)
    (root / _BUNDLE).write_text("".join(part.read_text().rstrip() + "\n" for part in parts))
    for part in parts:
        part.unlink()
    (root / _AUTHORITIES).rmdir()
    (root / _AUTHORITIES).parent.rmdir()

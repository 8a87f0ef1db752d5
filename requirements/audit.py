"""Asks whether the locked packages have known faults: `make audit`, and a part of `make check`.

    python requirements/audit.py                      asks PyPI, by pip-audit
    python requirements/audit.py -s osv --osv-url U   asks another; any option of pip-audit will do

Where nobody can be asked it says so and ends with 75: that is not the same as no faults. It ends
with 1 when a package has one.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
# dev.lock has all of run.lock. clients.lock may have other versions of the same packages: it is
# asked about apart.
LOCKS = ((FOLDER / "dev.lock", FOLDER / "go.lock"), (FOLDER / "clients.lock",))
NOT_ASKED = 75  # EX_TEMPFAIL of sysexits.h
OPTIONS = ("--progress-spinner=off", "--format=json", "--desc=off", "--timeout=10")
SOURCE = ("--disable-pip", "--require-hashes")
# How pip-audit ends when the one it asks does not answer, or answers something else.
AWAY = ("requests.exceptions.", "pip_audit._service.interface.", "Try another service")


def ask(options: list[str]) -> tuple[list[dict[str, Any]], str]:
    """Return what pip-audit found of each package, or why it found nothing out."""
    packages: list[dict[str, Any]] = []
    for locks in LOCKS:
        files = [f"--requirement={lock}" for lock in locks]
        command = [sys.executable, "-m", "pip_audit", *OPTIONS, *SOURCE, *files, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        try:
            packages += json.loads(done.stdout)["dependencies"]
        except ValueError:
            return [], (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
    return packages, ""


def main(options: list[str]) -> int:
    """Ask and tell; the exit code says what was found."""
    packages, problem = ask(options)
    if problem:
        if any(sign in problem for sign in AWAY):
            print("nobody who knows them answers from here")
            return NOT_ASKED
        print("pip-audit failed:", problem, file=sys.stderr)
        return 1
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}"
        + (f", mended in {', '.join(fault['fix_versions'])}" if fault["fix_versions"] else "")
        for package in packages
        for fault in package.get("vulns", ())
    ]
    if faults:
        print("\n".join(faults))
        return 1
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        of = "any package" if len(unknown) == len(packages) else ", ".join(unknown)
        print(f"nobody who knows them answers from here for {of}")
        return NOT_ASKED
    print(f"{len(packages)} packages, no known fault")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

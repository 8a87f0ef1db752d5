"""Packages the chart: `python -m deploy.helm.package [FOLDER]`, by default into `dist`.

The same files give the same bytes: no owners, no times but the earliest that archives can have.
"""

import gzip
import io
import sys
import tarfile
from pathlib import Path

import yaml

from deploy.helm.generate import CHART
from deploy.local.services import REPOSITORY

# 1980-01-01: zip, and so some readers, know nothing earlier.
EPOCH = 315_532_800


def packaged(folder: Path) -> Path:
    """Write the chart's archive into the folder, and return its path."""
    about = yaml.safe_load((CHART / "Chart.yaml").read_text())
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(path for path in CHART.rglob("*") if path.is_file()):
            info = tarfile.TarInfo(f"{about['name']}/{path.relative_to(CHART)}")
            data = path.read_bytes()
            info.size, info.mtime, info.mode = len(data), EPOCH, 0o644
            archive.addfile(info, io.BytesIO(data))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{about['name']}-{about['version']}.tgz"
    file.write_bytes(gzip.compress(content.getvalue(), mtime=EPOCH))
    return file


def main() -> None:
    """Run the command; see the module."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "dist"
    sys.stdout.write(f"{packaged(folder)}\n")


if __name__ == "__main__":
    main()

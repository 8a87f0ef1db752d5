"""The software bill of materials, in CycloneDX: each Debian, Python and npm package."""

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packageurl import PackageURL

from deploy.image.debian import Package
from deploy.image.page import NpmPackage
from deploy.image.project import Commit
from deploy.image.wheels import PythonPackage
from deploy.oci.archive import Image


def document(
    image: Image,
    digest: str,
    debian: Iterable[Package],
    python: Iterable[PythonPackage],
    npm: Iterable[NpmPackage],
    commit: Commit,
) -> str:
    """Return the document as JSON; the same image gives the same text.

    Raises ValueError if it is not valid.
    """
    bom = Bom(
        # The image's digest names the document too: the same image never gets two.
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, digest),
        components=[*map(_of_debian, debian), *map(_of_python, python), *map(_of_npm, npm)],
    )
    bom.metadata.timestamp = datetime.fromtimestamp(commit.seconds, UTC)
    name = image.labels["org.opencontainers.image.title"]
    bom.metadata.component = Component(
        type=ComponentType.CONTAINER,
        name=name,
        version=image.labels["org.opencontainers.image.version"],
        purl=PackageURL("oci", name=name, version=digest, qualifiers={"arch": image.architecture}),
        hashes=[_sha256(digest.removeprefix("sha256:"))],
        bom_ref=digest,
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    text = JsonV1Dot6(bom).output_as_string(indent=1)
    invalid = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(text)
    if invalid is not None:
        msg = f"the bill of materials is not valid: {invalid}"
        raise ValueError(msg)
    return f"{text}\n"


def _of_debian(package: Package) -> Component:
    qualifiers = {"arch": package.architecture, "distro": "debian-12"}
    purl = PackageURL("deb", "debian", package.name, package.version, qualifiers)
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=purl,
        hashes=[_sha256(package.sha256)],
        bom_ref=purl.to_string(),
    )


def _of_python(package: PythonPackage) -> Component:
    purl = PackageURL("pypi", None, package.name, package.version)
    licenses = LicenseFactory()
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=purl,
        hashes=[_sha256(package.sha256)] if package.sha256 else [],
        licenses=[licenses.make_from_string(package.license)] if package.license else [],
        bom_ref=purl.to_string(),
    )


def _of_npm(package: NpmPackage) -> Component:
    scope, _, name = package.name.rpartition("/")
    purl = PackageURL("npm", scope or None, name, package.version)
    return Component(
        type=ComponentType.LIBRARY,
        group=scope or None,
        name=name,
        version=package.version,
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=package.sha512)],
        licenses=[LicenseFactory().make_from_string(package.license)],
        bom_ref=purl.to_string(),
    )


def _sha256(content: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=content)

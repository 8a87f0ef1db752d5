"""Files of other projects' Go modules are those that are pinned, or none."""

import dataclasses

import pytest

from deploy.local.errors import StartError
from deploy.local.go.sources import PROMETHEUS_OPERATOR, source_folder
from deploy.local.progress import Progress
from tests.support import monitoring


def test_the_definitions_are_there() -> None:
    assert all("kind: CustomResourceDefinition" in f.read_text() for f in monitoring.definitions())


def test_another_content_than_the_pinned_one_is_refused() -> None:
    other = dataclasses.replace(PROMETHEUS_OPERATOR, content="h1:another")
    with pytest.raises(StartError, match="and should be h1:another"):
        source_folder(other, Progress())


def test_a_version_that_is_not_there_is_said() -> None:
    missing = dataclasses.replace(PROMETHEUS_OPERATOR, version="not a version")
    with pytest.raises(StartError, match=r"not a version could not be fetched: .+"):
        source_folder(missing, Progress())

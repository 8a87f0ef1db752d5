"""Applies the catalogue to a run: its image, its kubeconfig's path, its variables. Pure."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from krkn_grpc.catalogue import check
from krkn_grpc.catalogue.model import Catalogue, Scenario
from krkn_grpc.resources import images
from krkn_grpc.resources.chaos_job import DEFAULT_KUBECONFIG_PATH
from krkn_grpc.server.errors import Findings, shortened
from krkn_grpc.server.runs.model import InputFile
from krkn_grpc.v1 import scenario_runs_pb2 as pb

_MOST_TOLD = 20
_WARNING = "By the catalogue of scenarios, these inputs are wrong: {}"

CheckMode: TypeAlias = Literal["auto", "off", "warn", "enforce"]


@dataclass(frozen=True)
class KnownScenario:
    """What the catalogue says of a request; `scenario` is None for a name that it does not have."""

    catalogue: Catalogue = field(default_factory=Catalogue)
    scenario: Scenario | None = None
    mode: CheckMode = "off"
    name: str = ""

    @classmethod
    def of(
        cls, request: pb.RunScenarioRequest, catalogue: Catalogue, mode: CheckMode
    ) -> "KnownScenario":
        """Return what the catalogue says of the request's scenario."""
        name = request.scenario_name
        return cls(catalogue, catalogue.find(name), mode, name)

    def image(self, given: str) -> str:
        """Return the given image, else the entry's; empty when there is neither."""
        return given or (self.scenario.image if self.scenario is not None else "")

    @property
    def why_no_image(self) -> str:
        """What to say of a request without an image where the catalogue has none either."""
        if self.scenario is not None:
            return "is required: the catalogue's entry of the scenario names no image"
        meant = self.catalogue.alike(self.name)
        guess = f"; did you mean {meant}?" if meant else ""
        return f"is required: the catalogue has no scenario of this name{guess}"

    def kubeconfig_path(self, given: str) -> str:
        """Return the given path, else the entry's, else the default."""
        if given or self.scenario is None:
            return given or DEFAULT_KUBECONFIG_PATH
        return self.scenario.kubeconfig_path

    @property
    def secret_variables(self) -> frozenset[str]:
        """The variables that are secret, whatever is checked."""
        return self.catalogue.secret_variables(self.scenario)

    def check(
        self,
        image: str,
        environment: Mapping[str, str],
        secret_environment: Mapping[str, str],
        files: tuple[InputFile, ...],
        findings: Findings,
    ) -> str:
        """Add what is wrong with the inputs to `findings`; return it as a sentence where it warns.

        `environment` and `secret_environment` are those of the request.
        """
        mode = self._mode(image)
        if self.scenario is None or mode == "off":
            return ""
        paths = frozenset(file.mount_path for file in files)
        inputs = check.Inputs(environment, secret_environment, paths)
        found = check.violations(self.catalogue, self.scenario, inputs)
        if mode == "warn":
            told = (shortened(each) for each in itertools.islice(found, _MOST_TOLD))
            text = "; ".join(f"{each.field} {each.description}" for each in told)
            return _WARNING.format(text) if text else ""
        for violation in found:
            findings.expect(False, violation.field, violation.description)
        return ""

    def _mode(self, image: str) -> CheckMode:
        """Return the mode for an image. `auto` checks those that the entries are written for."""
        if self.mode != "auto" or self.scenario is None:
            return self.mode
        checked = {*images.DEFAULT, images.repository_of(self.scenario.image)}
        return "enforce" if images.repository_of(image) in checked else "off"

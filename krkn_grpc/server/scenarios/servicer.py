"""ScenarioService: checks a request, looks into the catalogue, translates the entry."""

from dataclasses import dataclass
from typing import TypeAlias

from krkn_grpc.catalogue.model import Scenario
from krkn_grpc.server.errors import Findings, NoSuch
from krkn_grpc.server.metadata import Context
from krkn_grpc.server.scenarios.current import CurrentCatalogue
from krkn_grpc.server.scenarios.translate import globals_message, scenario_message, summary
from krkn_grpc.v1 import scenarios_pb2 as pb
from krkn_grpc.v1.scenarios_pb2_grpc import ScenarioServiceServicer

_Request: TypeAlias = pb.ListScenariosRequest | pb.GetScenarioRequest | pb.GetScenarioGlobalsRequest
_NOT_SERVED = "is not served: the catalogue of a registry is not read"


@dataclass(frozen=True)
class ScenarioServicer(ScenarioServiceServicer):
    """Shows the catalogue; the protos specify each method."""

    catalogue: CurrentCatalogue

    async def ListScenarios(
        self, request: pb.ListScenariosRequest, context: Context
    ) -> pb.ListScenariosResponse:
        """List the scenarios by name."""
        _without_registry(request)
        return pb.ListScenariosResponse(scenarios=map(summary, self.catalogue.value.listed))

    async def GetScenario(self, request: pb.GetScenarioRequest, context: Context) -> pb.Scenario:
        """Return one scenario."""
        _without_registry(request)
        return scenario_message(self._found(request.name))

    async def GetScenarioGlobals(
        self, request: pb.GetScenarioGlobalsRequest, context: Context
    ) -> pb.ScenarioGlobals:
        """Return the parameters that a scenario has besides its own."""
        _without_registry(request)
        return globals_message(self._found(request.name), self.catalogue.value)

    def _found(self, name: str) -> Scenario:
        found = self.catalogue.value.find(name)
        if found is None:
            meant = self.catalogue.value.alike(name)
            guess = f"; did you mean {meant}?" if meant else ""
            raise NoSuch(f"there is no such scenario{guess}")
        return found


def _without_registry(request: _Request) -> None:
    findings = Findings()
    for field, value in (
        ("registryUrl", request.registry_url),
        ("scenarioRepository", request.scenario_repository),
        ("username", request.username),
        ("password", request.password),
        ("token", request.token),
        ("skipTls", request.skip_tls),
        ("insecure", request.insecure),
    ):
        findings.expect(not value, field, _NOT_SERVED)
    findings.settle()

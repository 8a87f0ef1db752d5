"""The catalogue: what there is to run."""

import builtins

from krkn_grpc.client.connection import Connection
from krkn_grpc.client.models import Scenario, ScenarioGlobals, ScenarioSummary
from krkn_grpc.client.reading import read
from krkn_grpc.v1 import scenarios_pb2 as pb


class Scenarios:
    """`krkn.scenarios`: the scenarios of the service's catalogue and their parameters."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def list(self) -> builtins.list[ScenarioSummary]:
        """Return all scenarios, by name."""
        reply = await self._connection.call(
            self._connection.scenarios.ListScenarios, pb.ListScenariosRequest()
        )
        return [read(each, ScenarioSummary) for each in reply.scenarios]

    async def get(self, name: str) -> Scenario:
        """Return a scenario with its parameters; raises NotFound."""
        request = pb.GetScenarioRequest(name=name)
        return await self._connection.ask(self._connection.scenarios.GetScenario, request, Scenario)

    async def globals(self, name: str) -> ScenarioGlobals:
        """Return the parameters that a scenario shares with all others; raises NotFound."""
        request = pb.GetScenarioGlobalsRequest(name=name)
        return await self._connection.ask(
            self._connection.scenarios.GetScenarioGlobals, request, ScenarioGlobals
        )

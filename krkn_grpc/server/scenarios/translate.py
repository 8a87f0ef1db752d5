"""Translates entries of the catalogue to replies."""

from krkn_grpc.catalogue.model import Catalogue, Parameter, Scenario
from krkn_grpc.v1 import scenarios_pb2 as pb

_TITLE = "Parameters of every scenario"
_DESCRIPTION = (
    "Parameters that krkn itself has, beside those of the scenario: checks, alerts, metrics, "
    "telemetry and the like."
)


def summary(scenario: Scenario) -> pb.ScenarioSummary:
    """Return the reply for one scenario of a list."""
    return pb.ScenarioSummary(name=scenario.name, title=scenario.title)


def scenario_message(scenario: Scenario) -> pb.Scenario:
    """Return the reply for one scenario."""
    return pb.Scenario(
        name=scenario.name,
        title=scenario.title,
        description=scenario.description,
        fields=map(_field, scenario.parameters.listed),
        image=scenario.image,
        kubeconfig_path=scenario.kubeconfig_path,
        rollback=scenario.has_rollback,
        source="built-in" if scenario.is_built_in else "administrator",
    )


def globals_message(scenario: Scenario, catalogue: Catalogue) -> pb.ScenarioGlobals:
    """Return the reply for the global parameters; one that the scenario has itself is left out."""
    own = scenario.parameters.by_variable
    return pb.ScenarioGlobals(
        name=scenario.name,
        title=_TITLE,
        description=_DESCRIPTION,
        fields=[_field(each) for each in catalogue.of_all.listed if each.variable not in own],
    )


def _field(parameter: Parameter) -> pb.ScenarioField:
    return pb.ScenarioField(
        name=parameter.name,
        short_description=parameter.short_description,
        description=parameter.description,
        variable=parameter.variable,
        type=parameter.type,
        default=parameter.default,
        required=parameter.is_required,
        validator=parameter.validator,
        validation_message=parameter.validation_message,
        separator=parameter.separator,
        allowed_values=parameter.allowed_values,
        mount_path=parameter.mount_path,
        requires=",".join(parameter.requires),
        mutually_excludes=",".join(parameter.excludes),
        secret=parameter.is_secret,
        group=parameter.group,
    )

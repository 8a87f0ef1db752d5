"""A scenario, its parameters, and the catalogue of all scenarios."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, TypeAlias, get_args

from krkn_grpc.catalogue.spelling import Spelling

ParameterType: TypeAlias = Literal["string", "enum", "number", "boolean", "file", "file_base64"]
TYPES = frozenset(get_args(ParameterType))


class Pattern(Protocol):
    """A compiled pattern of a linear-time engine."""

    def search(self, text: str) -> object | None:
        """Return a match anywhere in the text; None when there is none."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter: an environment variable, or a file at a path of the container.

    `default` is None when there is none. `values` are those that an enum may have; `requires` and
    `excludes` are names of parameters or their variables.
    """

    name: str
    variable: str
    type: ParameterType
    short_description: str = ""
    description: str = ""
    default: str | None = None
    is_required: bool = False
    validator: str = ""
    validation_message: str = ""
    separator: str = ""
    allowed_values: str = ""
    mount_path: str = ""
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    is_secret: bool = False
    group: str = ""
    values: tuple[str, ...] = ()
    pattern: Pattern | None = field(default=None, compare=False, repr=False)

    @property
    def is_demanding(self) -> bool:
        """Whether it must be given, or demands something of other parameters."""
        return (self.is_required and not self.default) or bool(self.requires or self.excludes)


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Parameters in the order of their file; `secret` has the variables that are secret."""

    listed: tuple[Parameter, ...] = ()
    secret: frozenset[str] = frozenset()

    @cached_property
    def by_variable(self) -> Mapping[str, Parameter]:
        """The parameters by their variables."""
        return {each.variable: each for each in self.listed}


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A scenario; `image` is empty when its file names none, and then each run names one."""

    name: str
    title: str
    description: str = ""
    image: str = ""
    kubeconfig_path: str
    has_rollback: bool = False
    is_scenario: bool = True
    is_built_in: bool = True
    parameters: Parameters


class Known(NamedTuple):
    """The parameters of a scenario with the global ones, prepared for checks.

    `demanding` are those that may be wrong without being given, or by what else is given.
    """

    by_variable: Mapping[str, Parameter]
    by_name: Mapping[str, Parameter]
    demanding: tuple[Parameter, ...]


@dataclass(frozen=True)
class Catalogue:
    """All scenarios by name, and the parameters that every scenario has besides its own."""

    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    of_all: Parameters = field(default_factory=Parameters)

    @property
    def listed(self) -> list[Scenario]:
        """The scenarios by name, without entries that are none, such as `rollback`."""
        return [each for _, each in sorted(self.scenarios.items()) if each.is_scenario]

    def find(self, name: str) -> Scenario | None:
        """Return the scenario of this name; None when there is none."""
        found = self.scenarios.get(name)
        return found if found is not None and found.is_scenario else None

    def alike(self, name: str) -> str | None:
        """Return the scenario whose name is nearly this one; None when there is none."""
        return Spelling(each.name for each in self.listed).meant(name)

    def known(self, scenario: Scenario) -> Known:
        """Return the parameters of a scenario of this catalogue and the global ones."""
        return self._known[scenario.name]

    @cached_property
    def _known(self) -> Mapping[str, Known]:
        return {name: self._prepared(each) for name, each in self.scenarios.items()}

    def _prepared(self, scenario: Scenario) -> Known:
        merged = {**self.of_all.by_variable, **scenario.parameters.by_variable}
        demanding = tuple(each for each in merged.values() if each.is_demanding)
        names = {each.name: each for each in reversed(merged.values())}
        return Known(merged, names, demanding)

    def secret_variables(self, scenario: Scenario | None) -> frozenset[str]:
        """Return the variables that are secret in runs of this scenario."""
        own = scenario.parameters.secret if scenario is not None else frozenset()
        return own | self.of_all.secret

    def merged(self, scenarios: Mapping[str, Scenario], of_all: Parameters | None) -> "Catalogue":
        """Return this catalogue with scenarios added or replaced, and its global parameters, too.

        A variable that an entry calls secret is secret in the entry that replaces it.
        """
        replaced = {
            name: _as_secret(each, self.scenarios.get(name)) for name, each in scenarios.items()
        }
        if of_all is None:
            return Catalogue({**self.scenarios, **replaced}, self.of_all)
        secret = of_all.secret | self.of_all.secret
        parameters = Parameters(listed=_marked(of_all.listed, secret), secret=secret)
        return Catalogue({**self.scenarios, **replaced}, parameters)


def _as_secret(new: Scenario, old: Scenario | None) -> Scenario:
    if old is None:
        return new
    secret = new.parameters.secret | old.parameters.secret
    parameters = Parameters(listed=_marked(new.parameters.listed, secret), secret=secret)
    return replace(new, parameters=parameters)


def _marked(listed: tuple[Parameter, ...], secret: frozenset[str]) -> tuple[Parameter, ...]:
    return tuple(
        replace(each, is_secret=True) if each.variable in secret else each for each in listed
    )

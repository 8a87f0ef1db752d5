"""The controller's settings for scenario pods. docs/scenario-pods.md shows them in use."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from controller.scenario_pods import template
from controller.scenario_pods.rules import CA_FILE, PodRules, Proxies
from krkn_grpc.resources import image_mirrors, label_grammar, well_known
from krkn_grpc.resources.image_mirrors import Mirror
from krkn_grpc.settings import ProcessSettings

_PROXY = re.compile(r"https?://[^\s/?#@]+/?")


class PodSettings(ProcessSettings):
    """What an administrator decides about every scenario pod."""

    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "Always", description="when a scenario's image is pulled"
    )
    image_mirrors: Annotated[tuple[Mirror, ...], NoDecode] = Field(
        (),
        description="where images are pulled from in the place of their registries: "
        "`prefix=replacement`; the longest prefix counts. `KRKN_ALLOWED_IMAGES` is about the names "
        "that requests have",
    )
    grace_seconds: int = Field(60, ge=0, description="time for a stopped scenario to roll back")
    pod_template: str = Field(
        "",
        description="labels, resources and placement of scenario pods, as YAML or JSON in the form "
        "of a Kubernetes pod template ([fields](scenario-pods.md))",
    )
    pod_service_account: str = Field(
        well_known.SCENARIO_ACCOUNT,
        description="service account of scenario pods; they never get its token",
    )
    pod_fixed_uid: bool = Field(
        True,
        description="scenario pods run as user and group 1001; `false`: as those that the cluster "
        "assigns (OpenShift's restricted-v2)",
    )
    pod_https_proxy: str = Field(
        "", description="proxy of scenarios for https: a URL without user and password"
    )
    pod_http_proxy: str = Field("", description="proxy of scenarios for http, likewise")
    pod_no_proxy: str = Field("", description="hosts, domains and networks that need no proxy")
    pod_ca_config_map: str = Field(
        "",
        description="ConfigMap of the namespace with the certificates that scenarios trust, in the "
        "place of the image's own",
    )
    pod_ca_key: str = Field(CA_FILE, description="the key of the bundle in that ConfigMap")

    network_policies: bool = Field(
        False,
        description="whether each scenario pod gets a NetworkPolicy that lets it out to its own "
        "target; `deploy/components/target-policies` sets this",
    )

    @field_validator("image_mirrors", mode="before")
    @classmethod
    def _mirrors(cls, value: object) -> object:
        return image_mirrors.read(value) if isinstance(value, str) else value

    @field_validator("pod_template")
    @classmethod
    def _template(cls, value: str) -> str:
        template.read(value)
        return value

    @field_validator("pod_service_account", "pod_ca_config_map")
    @classmethod
    def _name(cls, value: str) -> str:
        if value and not label_grammar.is_subdomain(value):
            raise ValueError(f"{value!r} is not the name of an object")
        return value

    @field_validator("pod_ca_key")
    @classmethod
    def _key(cls, value: str) -> str:
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", value) or value in (".", ".."):
            raise ValueError(f"{value!r} is not a key of a ConfigMap")
        return value

    @field_validator("pod_https_proxy", "pod_http_proxy")
    @classmethod
    def _proxy(cls, value: str) -> str:
        # The value is not repeated: it may have a password, which every reader of pods would see.
        if value and not _PROXY.fullmatch(value):
            raise ValueError("it is not http://host:port or https://host:port, without a user")
        return value

    @field_validator("pod_no_proxy")
    @classmethod
    def _exempt(cls, value: str) -> str:
        if not re.fullmatch(r"[-.,:*/_\[\]a-zA-Z0-9]*", value):
            raise ValueError("it is not a list of hosts, domains and networks without spaces")
        return value

    @property
    def pod_rules(self) -> PodRules:
        """What these settings make of each pod."""
        return PodRules(
            pull_policy=self.image_pull_policy,
            grace_seconds=self.grace_seconds,
            template=template.read(self.pod_template),
            service_account=self.pod_service_account,
            has_fixed_user=self.pod_fixed_uid,
            mirrors=self.image_mirrors,
            proxies=Proxies(self.pod_https_proxy, self.pod_http_proxy, self.pod_no_proxy),
            ca_config_map=self.pod_ca_config_map,
            ca_key=self.pod_ca_key,
            are_jobs_traced=bool(self.otel_exporter_otlp_endpoint),
        )

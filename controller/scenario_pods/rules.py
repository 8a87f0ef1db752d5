"""What the administrator's settings make of every scenario pod. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from controller.scenario_pods.template import PodTemplate
from krkn_grpc.resources import image_mirrors, well_known
from krkn_grpc.resources.image_mirrors import Mirror

PullPolicy = Literal["Always", "IfNotPresent", "Never"]

CA_FOLDER = "/etc/krkn-ca"
CA_FILE = "ca-bundle.crt"
# Read by OpenSSL, Python's ssl and Go; by Python's requests and boto; by curl.
CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Python reads these in every mixture of cases.
_PROXY_VARIABLE = re.compile(r"(https?|ftp|wss?|grpc|all|no|socks[45]?)_proxy", re.IGNORECASE)


@dataclass(frozen=True)
class Proxies:
    """The proxies of scenario pods: URLs without credentials, and hosts that need none."""

    https: str = ""
    http: str = ""
    exempt: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """Each variable in both spellings: curl reads one, most others read the other."""
        named = {"HTTPS_PROXY": self.https, "HTTP_PROXY": self.http, "NO_PROXY": self.exempt}
        given = {name: value for name, value in named.items() if value}
        return given | {name.lower(): value for name, value in given.items()}


@dataclass(frozen=True)
class PodRules:
    """The administrator's decisions about scenario pods; a request changes none of them.

    `ca_config_map` names a ConfigMap whose key `ca_key` is a bundle of certificates; "": none.
    """

    pull_policy: PullPolicy = "Always"
    grace_seconds: int = 60
    template: PodTemplate = field(default_factory=PodTemplate)
    service_account: str = well_known.SCENARIO_ACCOUNT
    has_fixed_user: bool = True
    mirrors: tuple[Mirror, ...] = ()
    proxies: Proxies = field(default_factory=Proxies)
    ca_config_map: str = ""
    ca_key: str = CA_FILE
    are_jobs_traced: bool = False
    """Whether the spans of jobs are sent: those of scenarios belong below them."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that every scenario gets."""
        bundle = f"{CA_FOLDER}/{CA_FILE}" if self.ca_config_map else ""
        trust = dict.fromkeys(CA_VARIABLES, bundle) if bundle else {}
        return self.proxies.environment | trust

    def is_for_request(self, variable: str) -> bool:
        """Whether a request may set this variable: not if these rules decide about it."""
        if self.proxies.environment and _PROXY_VARIABLE.fullmatch(variable):
            return False
        return variable not in self.environment

    def pulled_from(self, image: str) -> str:
        """Return the name by which the node pulls an image that a request names."""
        return image_mirrors.pulled_from(image, self.mirrors)

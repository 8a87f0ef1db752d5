"""Which variables are secrets, and which are refused, held against those that krkn has."""

from pathlib import Path

import pytest
import yaml

from krkn_grpc.resources import environment

KRKN = yaml.safe_load(Path(__file__).with_name("krkn_variables.yaml").read_text())
# krkn-hub calls these secret in some places and not in others; they say whose a credential is.
CALLED_SECRET_ELSEWHERE = ["ES_USERNAME", "TELEMETRY_USERNAME", "HEALTH_CHECK_AUTH"]


@pytest.mark.parametrize("name", [*KRKN["secret"], *KRKN["files"], *CALLED_SECRET_ELSEWHERE])
def test_what_krkn_calls_secret_is_one(name: str) -> None:
    is_a_path = name in ("MOUNTED_FILE", "RESILIENCY_FILE")
    assert environment.looks_secret(name) is not is_a_path


def test_most_of_what_krkn_takes_is_public() -> None:
    secret = {name for name in KRKN["other"] if environment.looks_secret(name)}
    assert secret == {
        *CALLED_SECRET_ELSEWHERE,
        *("ES_PASSWORD", "HEALTH_CHECK_BEARER_TOKEN", "PROMETHEUS_TOKEN", "TELEMETRY_PASSWORD"),
    }


def test_nothing_that_krkn_takes_is_refused() -> None:
    names = [*KRKN["secret"], *KRKN["files"], *KRKN["other"]]
    assert not [name for name in names if environment.loads_code(name)]


@pytest.mark.parametrize(
    "name",
    [
        *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH", "PATH", "HOME", "ENV"),
        *("BASH_ENV", "BASH_FUNC_x", "SHELLOPTS", "PS4", "PYTHONPATH", "PYTHONSTARTUP"),
        *("PYTHONHOME", "PYTHONUSERBASE", "PYTHONWARNINGS", "NODE_OPTIONS", "PERL5OPT", "PERL5LIB"),
        *("RUBYOPT", "JAVA_TOOL_OPTIONS", "GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL", "OPENSSL_CONF"),
        *("CLOUDSDK_PYTHON", "XDG_CONFIG_HOME", "LUA_INIT", "KUBECTL_EXTERNAL_DIFF"),
    ],
)
def test_what_makes_a_program_load_code(name: str) -> None:
    assert environment.loads_code(name)


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONUNBUFFERED", "PYTHONIOENCODING", "MY_LD_PRELOAD", "ENVIRONMENT", "PATH_TO_FILE"),
        *("METRICS_PATH", "NODE_NAME", "NODE_OPTION", "GITHUB_TOKEN", "HOMEPAGE", "ld_preload"),
        *("HTTPS_PROXY", "TZ", "LANG", "AWS_PROFILE"),
    ],
)
def test_what_does_not(name: str) -> None:
    assert not environment.loads_code(name)

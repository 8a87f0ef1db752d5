"""Rules for a scenario's environment variables: which are allowed, and which are secrets."""

import re

RESERVED = frozenset({"KUBECONFIG", "KRKN_KUBE_CONFIG"})
"""Set by the controller."""

# Variables by which a program of the image loads code, runs another program or takes another
# configuration than its own. docs/security.md lists them for users.
LOADERS = (
    *("LD_*", "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH"),
    *("PATH", "HOME", "XDG_CONFIG_*", "IFS"),
    *("ENV", "BASH_*", "BASHOPTS", "SHELLOPTS", "PROMPT_COMMAND", "PS4", "CDPATH", "ZDOTDIR"),
    *("PYTHON*", "PERL*", "RUBY*", "GEM_HOME", "GEM_PATH", "NODE_OPTIONS", "NODE_PATH", "LUA_*"),
    *("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"),
    *("GIT_*", "SSH_ASKPASS", "SUDO_ASKPASS", "ANSIBLE_*"),
    *("EDITOR", "VISUAL", "PAGER", "BROWSER", "LESSOPEN", "LESSCLOSE"),
    *("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "KRB5_CONFIG"),
    *("KUBE_EDITOR", "KUBECTL_*", "CLOUDSDK_PYTHON*", "AZURE_EXTENSION_*"),
)
# These change how Python prints and hashes, and load nothing.
HARMLESS = (
    *("PYTHONUNBUFFERED", "PYTHONUTF8", "PYTHONIOENCODING", "PYTHONHASHSEED"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONFAULTHANDLER"),
)

# krkn reads the credentials of clouds, Elasticsearch, Prometheus and others from variables with
# such names, and treats some as secret that only name their owner. docs/security.md lists them.
SECRET_PARTS = (
    *("PASSWORD", "PASSWD", "PASSPHRASE", "_PASS", "_PWD", "TOKEN", "SECRET", "CREDENTIAL"),
    *("BEARER", "APIKEY", "_KEY", "PRIVATE", "_AUTH", "USERNAME", "_USER"),
    *("CLIENT_ID", "TENANT_ID", "SUBSCRIPTION_ID", "AWS_DEFAULT_REGION"),
)

_LOADER = re.compile("|".join(name.replace("*", ".*") for name in LOADERS))
_SECRET = re.compile("|".join(SECRET_PARTS), re.IGNORECASE)


def loads_code(name: str) -> bool:
    """Whether a variable of this name can change the code or configuration of an image's program.

    Names are compared case-sensitively: the programs do not know them in lower case.
    """
    return _LOADER.fullmatch(name) is not None and name not in HARMLESS


def looks_secret(name: str) -> bool:
    """Whether the value of a variable of this name is kept as a secret."""
    return _SECRET.search(name) is not None

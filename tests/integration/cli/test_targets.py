"""krkn-grpc targets, against the real services."""

from pathlib import Path

import pytest

from tests.conftest import StartServices
from tests.support.command import Command
from tests.support.custom_objects import REQUESTS, collection
from tests.support.requests import IMAGE, canary, kubeconfig, unused_name, unused_url
from tests.support.rest import RUNS, TARGETS, Rest
from tests.support.running import Wanted


async def test_a_kubeconfig_is_registered_shown_and_deleted(
    cli: Command, rest: Rest, tmp_path: Path
) -> None:
    name, url = unused_name(), unused_url()
    file = tmp_path / "kubeconfig"
    file.write_text(kubeconfig(url, canary()))

    added = await cli("targets", "add", "--name", name, "--kubeconfig", str(file))
    assert added.code == 0, added
    uuid = added.out.strip()

    # By name and by uuid, as a table and as JSON, which is what REST says.
    shown = await cli("targets", "get", name, "-o", "json")
    of_rest = (await rest.get(f"{TARGETS}/{uuid}")).body
    steady = ("uuid", "clusterName", "clusterAPIURL", "secretType", "createdAt")
    assert [shown.json[field] for field in steady] == [of_rest[field] for field in steady]
    assert shown.json["clusterAPIURL"] == url
    described = await cli("targets", "get", uuid)
    assert ["clusterName:", name] in [line.split() for line in described.out.splitlines()]

    listed = await cli("targets", "list", "-o", "json")
    assert uuid in [target["uuid"] for target in listed.json["targets"]]
    table = await cli("targets", "list", "-o", "wide")
    [row] = [line.split() for line in table.out.splitlines() if uuid in line]
    assert row[:2] == [name, "no"]
    assert {url, "kubeconfig", uuid} <= set(row)

    assert (await cli("targets", "delete", name)).out.strip() == uuid
    gone = await cli("targets", "get", uuid)
    assert (gone.code, gone.out, gone.line) == (3, "", "Error: there is no such target")


async def test_a_token_comes_from_standard_input_a_file_or_the_environment(
    cli: Command, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(f"{canary()}\n")
    ways: tuple[tuple[Command, list[str], str | None], ...] = (
        (cli, ["--token-file", "-"], canary()),
        (cli, ["--token-file", str(file)], None),
        (cli.with_environment(KRKN_TARGET_TOKEN=canary()), [], None),
    )
    for command, options, given in ways:
        address = ["--name", unused_name(), "--api-url", unused_url()]
        added = await command("targets", "add", *address, *options, given=given)
        assert added.code == 0, added


async def test_an_update_replaces_all(cli: Command, rest: Rest, tmp_path: Path) -> None:
    uuid = await rest.register()
    password = tmp_path / "password"
    password.write_text(canary())
    name, url = unused_name(), unused_url()
    options = ["--username", "admin", "--password-file", str(password)]
    updated = await cli("targets", "update", uuid, "--name", name, "--api-url", url, *options)
    assert (updated.code, updated.out.strip()) == (0, uuid), updated
    target = (await rest.get(f"{TARGETS}/{uuid}")).body
    assert (target["clusterName"], target["clusterAPIURL"]) == (name, url)
    assert target["secretType"] == "credentials"


async def test_a_limit_and_jobs_that_do_not_wait(cli: Command, rest: Rest) -> None:
    name = unused_name()
    uuid = await rest.register(clusterName=name)
    limited = await cli("targets", "limit", name, "1", "-o", "json")
    assert limited.json["maxConcurrentJobs"] == 1
    [first] = await rest.run(uuid, scenarioImage=f"{IMAGE}-never-ends")
    await rest.job_when(first, "Running")
    run = ("run", "--scenario", "pod-scenarios", "--image", IMAGE, "--target", name, "--wait")
    refused = await cli(*run, "--refuse-busy")
    assert refused.code != 0
    assert "TargetBusy" in refused.err
    late = await cli(*run, "--queue-seconds", "1")
    assert "QueueTimeout" in late.err
    await rest.delete(f"{RUNS}/{first}")
    assert (await cli("targets", "limit", uuid, "-1")).code == 2


async def test_labels_are_set_removed_and_listed_by(cli: Command, rest: Rest) -> None:
    name, team = unused_name(), unused_name()
    uuid = await rest.register(clusterName=name, labels={"env": "prod", "site": "a"})
    labelled = await cli("targets", "label", name, f"team={team}", "env-", "site=b", "-o", "json")
    assert labelled.json["labels"] == {"team": team, "site": "b"}
    shown = await cli("targets", "label", uuid, "site=")
    [line] = [line for line in shown.out.splitlines() if line.startswith("labels: ")]
    assert line.split(maxsplit=1)[1] == f"site=, team={team}"

    listed = await cli("targets", "list", "-l", f"team in ({team},x),!env", "-o", "json")
    assert [target["uuid"] for target in listed.json["targets"]] == [uuid]
    none = await cli("targets", "list", "--selector", f"team={team},env", "-o", "json")
    assert none.json["targets"] == []
    refused = await cli("targets", "list", "-l", "a in")
    assert (refused.code, refused.line) == (
        3,
        "Error: labelSelector: is not a label selector (character 5)",
    )

    wrong = await cli("targets", "label", uuid, "team")
    assert wrong.code == 2
    assert "neither KEY=VALUE nor KEY-" in wrong.err
    assert (await rest.get(f"{TARGETS}/{uuid}")).body["labels"] == {"team": team, "site": ""}


async def test_a_check_is_asked_for(cli: Command, rest: Rest) -> None:
    name = unused_name()
    uuid = await rest.register(clusterName=name)
    asked = await cli("targets", "check", name, "-o", "json")
    assert (asked.code, asked.json["uuid"]) == (0, uuid)


async def test_what_the_service_refuses_is_one_line_with_every_violation(cli: Command) -> None:
    refused = await cli(*("targets", "add", "--name", " ", "--token-file", "-"), given=canary())
    assert (refused.code, refused.out) == (3, "")
    assert refused.line.startswith("Error: clusterName: must have 1 to 253 characters; ")
    assert "clusterAPIURL: is required" in refused.line


async def test_a_duplicate_is_refused(cli: Command, rest: Rest) -> None:
    name = unused_name()
    await rest.register(clusterName=name)
    arguments = ["--name", name, "--api-url", unused_url(), "--token-file", "-"]
    refused = await cli("targets", "add", *arguments, given=canary())
    assert refused.code == 3
    assert name in refused.line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param([], "a credential is missing", id="none"),
        pytest.param(["--token", "abc"], "No such option: --token", id="on the command line"),
        pytest.param(["--username", "a", "--password", "b"], "No such option", id="a password"),
        pytest.param(["--token-file", "/nonexistent"], "No such file", id="no file"),
        pytest.param(["--token-file", "-"], "-: is empty", id="empty"),
        pytest.param(["--ca-bundle", "/dev/null"], "/dev/null: is empty", id="no certificate"),
        pytest.param(["--username", "a", "--token-file", "-"], "not both", id="two"),
        pytest.param(["--password-file", "-"], "needs --username", id="no user"),
        pytest.param(["--kubeconfig", "-", "--username", "a"], "nothing besides", id="more"),
    ],
)
async def test_a_credential_is_given_once_and_never_on_the_command_line(
    cli: Command, options: list[str], said: str
) -> None:
    name = unused_name()
    wrong = await cli("targets", "add", "--name", name, *options)
    assert wrong.code == 2
    assert said in wrong.err
    listed = await cli("targets", "list")
    assert name not in listed.out


async def test_discovery_lists_the_clusters_of_all_providers(cli: Command, rest: Rest) -> None:
    found = await cli("targets", "discover", "-o", "json")
    assert found.code == 0, found
    assert found.json["status"] == "Completed"
    assert "krkn-operator" in found.json["targetData"]
    table = await cli("targets", "discover", "--keep")
    # None of the providers here knows a cluster.
    assert table.out == "" or table.out.split()[:2] == ["PROVIDER", "CLUSTER"]
    kept = table.err.split()[-1]
    assert (await rest.get(f"/api/v1/targets/{kept}")).body["status"] == "Completed"
    assert (await rest.delete(f"/api/v1/targets/{kept}")).status == 200


async def test_discovery_that_is_not_completed_in_time_says_so(
    start_services: StartServices,
) -> None:
    wanted = Wanted(controller=False, environment={"KRKN_DISCOVERY_HOLD_SECONDS": "1"})
    services = await start_services(wanted)
    found = await Command(services.processes.rest_url)("targets", "discover", "--timeout", "1")
    assert (found.code, found.out) == (4, ""), found
    assert found.err.splitlines() == ["Error: not completed after 1 s"]
    requests = await services.cluster.request("GET", collection(REQUESTS, services.namespace))
    assert requests["items"] == []

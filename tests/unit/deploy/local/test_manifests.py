from pathlib import Path

from deploy.local.cluster import manifests

YAML = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: server, namespace: original}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reviews}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reviews}
subjects:
  - {kind: ServiceAccount, name: server, namespace: original}
  - {kind: Group, name: people}
---
"""


def test_a_folder_is_read_without_what_is_kustomizes(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(YAML)
    (tmp_path / "kustomization.yaml").write_text("kind: Kustomization\nresources: [all.yaml]\n")
    kinds = [manifest["kind"] for manifest in manifests.load(tmp_path)]
    assert kinds == ["ServiceAccount", "ClusterRole", "ClusterRoleBinding"]


def test_objects_and_bindings_move_to_the_namespace(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(YAML)
    account, role, binding = manifests.in_namespace(manifests.load(tmp_path), "other")
    assert account["metadata"] == {"name": "server", "namespace": "other"}
    assert role["metadata"] == {"name": "reviews"}
    # Those of two namespaces must not overwrite each other.
    assert binding["metadata"] == {"name": "reviews.other"}
    assert [subject.get("namespace") for subject in binding["subjects"]] == ["other", None]


def test_what_was_read_stays_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(YAML)
    loaded = manifests.load(tmp_path)
    manifests.in_namespace(loaded, "other")
    assert loaded == manifests.load(tmp_path)

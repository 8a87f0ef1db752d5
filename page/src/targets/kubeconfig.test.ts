import { expect, test } from "vitest";
import { Kubeconfig } from "./kubeconfig";

const kubeconfig = (user: string, cluster = "") => `
current-context: two
contexts:
- name: one
  context: {cluster: a, user: u, namespace: shop}
- name: two
  context: {cluster: a, user: u}
- name: dangling
  context: {cluster: none, user: u}
clusters:
- name: a
  cluster: {server: "https://10.0.0.1:6443"${cluster}}
users:
- name: u
  user: {${user}}
`;

test("the contexts, and one of them alone", () => {
  const read = Kubeconfig.read(kubeconfig("token: hush"));
  expect(read.contexts()).toMatchObject([
    { name: "one", server: "https://10.0.0.1:6443", isCurrent: false, refusal: "" },
    { name: "two", isCurrent: true, refusal: "" },
    { name: "dangling", server: "", refusal: expect.stringContaining("a cluster") as string },
  ]);
  expect(JSON.parse(read.only("one"))).toMatchObject({
    "current-context": "it",
    contexts: [{ name: "it", context: { cluster: "it", user: "it", namespace: "shop" } }],
    clusters: [{ name: "it", cluster: { server: "https://10.0.0.1:6443" } }],
    users: [{ name: "it", user: { token: "hush" } }],
  });
});

test.each([
  ["exec: {command: aws}", "", "a program (exec)"],
  ["auth-provider: {name: x}", "", "a program (auth-provider)"],
  ["client-key: /k", "", "kubectl config view --minify --flatten --raw --context one"],
  ["token: x", ", certificate-authority: /ca", "a file (certificate-authority)"],
])("a context with %j%s is refused with the way out", (user, cluster, expected) => {
  expect(Kubeconfig.read(kubeconfig(user, cluster)).contexts()[0]!.refusal).toContain(expected);
});

test.each([
  ["", "is empty"],
  ["a: b: hush", "is not YAML (line 1)"],
  ["a: 1\na: 2", "is not YAML"],
  ["contexts: &x []\nclusters: *x", "YAML aliases"],
  ["[]", "is not a kubeconfig"],
  ["contexts: 7", "is not a kubeconfig"],
  ["x".repeat(300_000), "larger than 256 KiB"],
])("what is no kubeconfig is told, and not repeated", (text, expected) => {
  expect(() => Kubeconfig.read(text)).toThrow(expected);
  try {
    Kubeconfig.read(text);
  } catch (error) {
    expect(String(error)).not.toContain("hush");
  }
});

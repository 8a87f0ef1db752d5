/**
 * A kubeconfig, read in the browser: which contexts it has, and one of them alone.
 *
 * It is data. What would have to be run or read elsewhere cannot be taken, and is told with the
 * command that makes a kubeconfig without it. The service checks all of it again.
 */
import { parseDocument } from "yaml";

export interface Context {
  readonly name: string;
  /** The address of the cluster's API; empty where there is none. */
  readonly server: string;
  readonly isCurrent: boolean;
  /** Why it cannot be registered, as a sentence; empty when nothing is known against it. */
  readonly refusal: string;
}

interface Named {
  readonly name: string;
  readonly [rest: string]: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

const BYTES = 256 * 1024;
const FILES = ["certificate-authority", "client-certificate", "client-key", "tokenFile"];

export class Kubeconfig {
  private constructor(private readonly root: Fields) {}

  /** Read YAML or JSON; raises an error that says what is wrong, and repeats none of it. */
  static read(text: string): Kubeconfig {
    if (text.trim() === "") throw new Error("the file is empty");
    if (new TextEncoder().encode(text).length > BYTES) {
      throw new Error("the file is larger than 256 KiB");
    }
    const document = parseDocument(text, { uniqueKeys: true, logLevel: "silent" });
    const error = document.errors[0];
    if (error) throw new Error(`the file is not YAML${lineOf(error)}`);
    let root: unknown;
    try {
      root = document.toJS({ maxAliasCount: 0 });
    } catch {
      throw new Error("the file has YAML aliases, which are not supported");
    }
    if (!isFields(root) || !Array.isArray(root["contexts"])) {
      throw new Error("the file is not a kubeconfig: it has no contexts");
    }
    return new Kubeconfig(root);
  }

  contexts(): Context[] {
    return this.named("contexts").map(({ name }) => ({
      name,
      server: text(this.parts(name).cluster["server"]),
      isCurrent: name === this.root["current-context"],
      refusal: this.refusal(name),
    }));
  }

  /** A kubeconfig with this context only, as JSON, which is YAML too. */
  only(name: string): string {
    const { context, cluster, user } = this.parts(name);
    const one = (key: string, content: Fields) => [{ name: "it", [key]: content }];
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "it",
      contexts: one("context", { ...context, cluster: "it", user: "it" }),
      clusters: one("cluster", cluster),
      users: one("user", user),
    });
  }

  private refusal(name: string): string {
    const { context, cluster, user } = this.parts(name);
    if (!this.named("clusters").some((each) => each.name === context["cluster"])) {
      return "The context names a cluster that the file does not have.";
    }
    if (!this.named("users").some((each) => each.name === context["user"])) {
      return "The context names a user that the file does not have.";
    }
    const found = ["exec", "auth-provider"].find((key) => key in user);
    if (found) {
      return `It gets its credential by a program (${found}), which the service does not run. Give it a service account's token instead.`;
    }
    const file = FILES.find((key) => key in user || key in cluster);
    if (file) {
      return `It names a file (${file}), which the service cannot read. This writes one that has it inside: ${flatten(name)}`;
    }
    return "";
  }

  private parts(name: string): { context: Fields; cluster: Fields; user: Fields } {
    const context = this.content("contexts", "context", name);
    return {
      context,
      cluster: this.content("clusters", "cluster", context["cluster"]),
      user: this.content("users", "user", context["user"]),
    };
  }

  private content(list: string, key: string, name: unknown): Fields {
    const content = this.named(list).find((each) => each.name === name)?.[key];
    return isFields(content) ? content : {};
  }

  private named(list: string): Named[] {
    const entries = this.root[list];
    const isNamed = (each: unknown): each is Named =>
      isFields(each) && typeof each["name"] === "string";
    return Array.isArray(entries) ? entries.filter(isNamed) : [];
  }
}

/** The command that writes a kubeconfig of one context with all of its files inside. */
function flatten(context: string): string {
  const name = /^[\w@%+=:,./-]+$/.test(context) ? context : "CONTEXT";
  return `kubectl config view --minify --flatten --raw --context ${name}`;
}

function lineOf(error: { linePos?: readonly { line: number }[] | undefined }): string {
  const line = error.linePos?.[0]?.line;
  return line === undefined ? "" : ` (line ${line})`;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: unknown) => (typeof value === "string" ? value : "");

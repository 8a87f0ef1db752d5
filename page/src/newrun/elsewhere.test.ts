import { expect, test } from "vitest";
import { commandLine, curl, json, missing } from "./elsewhere";
import { quote } from "./shell";

const AT = { origin: "http://127.0.0.1:8080", isAuthenticated: false };
const REQUEST = {
  scenarioName: "pod-scenarios",
  environment: { NAMESPACE: "it's; $(reboot) `x`\n\"" },
  secretEnvironment: { PASSWORD: "hush-1" },
  files: [{ name: "a b.yaml", content: "aHVzaC0y", mountPath: "/home/krkn/a" }],
  password: "hush-3",
  targetUUIDs: ["one"],
  maxFailures: 0,
  abortRunning: true,
};

/** Split a command as POSIX has it (2.2 Quoting), with neither variables nor substitutions. */
function words(text: string): string[] {
  const found: string[] = [];
  let word: string | undefined;
  const parts =
    /\\\n|\\([^])|'([^']*)'|"((?:[^"\\$`]|\$KRKN_TOKEN)*)"|(\s+)|([\w@%+=:,./-])|([^])/g;
  for (const [, escaped, single, double, space, plain, special] of text.matchAll(parts)) {
    if (special !== undefined) throw new Error(`a shell would not take ${special} as it is`);
    if (space !== undefined) {
      if (word !== undefined) found.push(word);
      word = undefined;
    } else {
      const piece = escaped ?? single ?? double ?? plain;
      if (piece !== undefined) word = (word ?? "") + piece;
    }
  }
  return word === undefined ? found : [...found, word];
}

test.each(["plain", "a b", "it's", "$(id)", "`id`", "*", "", "-x", "a\nb", "\\", '"', "é"])(
  "a shell takes %j as it is",
  (word) => {
    expect(words(quote(word))).toEqual([word]);
  },
);

test("the command line has all but the secrets", () => {
  const line = commandLine(REQUEST, ["eu 1", "--all"], AT);
  expect(words(line)).toEqual([
    "KRKN_SERVER=127.0.0.1:8080",
    "krkn-grpc",
    "run",
    "pod-scenarios",
    "--target",
    "eu 1",
    "--target",
    "--all",
    "--env",
    "NAMESPACE=it's; $(reboot) `x`\n\"",
    "--secret-env",
    "PASSWORD",
    "--file",
    "a b.yaml:/home/krkn/a",
    "--max-failures",
    "0",
    "--abort-running",
  ]);
});

test("no secret stands in anything that is copied", () => {
  const all = [commandLine(REQUEST, [], AT), json(REQUEST), curl(REQUEST, AT)].join("\n");
  for (const secret of ["hush-1", "aHVzaC0y", "hush-3"]) expect(all).not.toContain(secret);
  expect(JSON.parse(json(REQUEST))).toMatchObject({ secretEnvironment: { PASSWORD: "***" } });
  expect(missing(REQUEST)).toContain("PASSWORD, the content of a b.yaml");
  expect(missing({ scenarioName: "x" })).toBe("");
});

test("curl sends the JSON, with a token where callers have one", () => {
  const sent = words(curl(REQUEST, AT)).at(-1)!;
  expect(JSON.parse(sent)).toMatchObject({ environment: REQUEST.environment });
  expect(curl(REQUEST, AT)).not.toContain("Authorization");
  expect(curl(REQUEST, { ...AT, isAuthenticated: true })).toContain("Bearer $KRKN_TOKEN");
});

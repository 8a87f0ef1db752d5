// The same call for other programs: curl, grpcurl, the command krkn-grpc, Python.
"use strict";

// For each operation what the command and the Python client have for it.
const programs = @PROGRAMS@;

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";
const lines_of = (parts) => parts.join(" \\\n  ");
// The token is not shown: who copies the command has it in $TOKEN.
const header = (name, value) => (name === "Authorization" ? '"Authorization: Bearer $TOKEN"' : quoted(`${name}: ${value}`));

function curl({url, verb, headers, body}) {
  const lines = ["curl -sN " + (verb === "GET" ? "" : "-X " + verb + " ") + quoted(url)];
  for (const [name, value] of Object.entries(headers)) lines.push("-H " + header(name, value));
  if (body) lines.push("--data-raw " + quoted(body));
  return lines_of(lines);
}

// The fields of a path and a query are fields of the message, too.
function grpcurl({operation, headers, values, body}) {
  const [service, method] = operation.replace(/ByPost$/, "").split("_");
  let message = values;
  try {
    message = {...JSON.parse(body || "{}"), ...values};
  } catch { /* The body is not JSON yet. */ }
  const lines = ["grpcurl" + (location.protocol === "http:" ? " -plaintext" : "")];
  for (const [name, value] of Object.entries(headers)) {
    if (name !== "Content-Type") lines.push("-H " + header(name, value));
  }
  if (Object.keys(message).length) lines.push("-d " + quoted(JSON.stringify(message, null, 2)));
  return lines_of([...lines, `${location.host} krkn.v1.${service}/${method}`]);
}

const filled = (pattern, values, shown) =>
  pattern.replace(/{(\w+)}/g, (_, name) => (values[name] ? shown(values[name]) : name.toUpperCase()));

function command({operation, values}) {
  const known = programs[operation.replace(/ByPost$/, "")]?.cli;
  return known ? `export KRKN_SERVER=${location.origin}\n` + filled(known, values, quoted)
    : "The command krkn-grpc has nothing for this call.";
}

function python({operation, url, verb, headers, values, body}) {
  const known = programs[operation.replace(/ByPost$/, "")]?.python;
  const text = (value) => JSON.stringify(value);
  if (known) {
    return ["from krkn_grpc.client.plain import Krkn", "", `with Krkn(${text(location.origin)}) as krkn:`,
      `    print(${filled(known, values, text)})`].join("\n");
  }
  const sent = Object.entries(headers).map(([name, value]) =>
    `${text(name)}: ` + (name === "Authorization" ? '"Bearer " + os.environ["TOKEN"]' : text(value)));
  return ["import os", "from urllib.request import Request, urlopen", "",
    `request = Request(${text(url)}, method=${text(verb)}, headers={${sent.join(", ")}}` +
      (body ? `, data=${text(body)}.encode())` : ")"),
    "with urlopen(request) as reply:", "    print(reply.read().decode())"].join("\n");
}

const COMMANDS = {curl, grpcurl, "krkn-grpc": command, Python: python};

// Shows the OpenAPI document and sends calls. All text goes in as text, never as HTML.
"use strict";

const api = (path) => fetch(path, {credentials: "omit", redirect: "error"});
const reads_only = document.documentElement.dataset.mode === "local";
const token = document.getElementById("token");

// An element with attributes (or properties) and children; strings are text.
function element(name, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children.filter((child) => child !== null));
  return made;
}

const inline = (text) => text.split("`").map((part, n) => (n % 2 ? element("code", {}, part) : part));

// The little Markdown that descriptions have: paragraphs, lists, code.
function prose(markdown = "") {
  return markdown.trim().split("\n\n").filter(Boolean).map((block) =>
    block.startsWith("- ")
      ? element("ul", {}, ...block.split("\n").map((line) => element("li", {}, ...inline(line.slice(2)))))
      : element("p", {}, ...inline(block)));
}

function show(openapi) {
  const resolved = (node) => (node.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], openapi) : node);
  document.getElementById("about").append(...prose(openapi.info.description));
  const main = document.getElementById("calls");
  for (const tag of openapi.tags) {
    main.append(element("h2", {}, tag.name), ...prose(tag.description));
    for (const [path, calls] of Object.entries(openapi.paths)) {
      for (const [verb, call] of Object.entries(calls)) {
        if (call.tags.includes(tag.name)) main.append(show_call(path, verb.toUpperCase(), call, resolved));
      }
    }
  }
}

function show_call(path, verb, call, resolved) {
  const summary = element("summary", {}, element("span", {className: "verb " + verb}, verb),
    element("span", {className: "path"}, path), element("span", {className: "title"}, ...inline(call.summary)));
  const details = element("details", {className: "call", id: call.operationId}, summary);
  // Made when it is looked at.
  details.addEventListener("toggle", () => details.append(show_form(path, verb, call, resolved)), {once: true});
  return details;
}

function show_form(path, verb, call, resolved) {
  const parameters = (call.parameters ?? []).map(resolved).map((one) => ({...one, input: input_for(one.schema)}));
  const schema = call.requestBody && resolved(call.requestBody.content["application/json"].schema);
  const body = schema && element("textarea", {value: JSON.stringify(example(schema, resolved), null, 2), spellcheck: false});
  const command = element("pre");
  const reply = element("div");
  const send = element("button", {disabled: reads_only && verb !== "GET"}, "Send");
  const stop = element("button", {className: "plain", disabled: true}, "Stop");
  const request = () => request_of(path, verb, parameters, body);
  const refresh = () => { command.textContent = curl(request()); };
  send.onclick = () => run(request(), send, stop, reply);
  const form = element("div", {className: "inside", oninput: refresh}, ...prose(call.description),
    parameters.length ? element("table", {}, ...parameters.map(row)) : null,
    schema ? element("h4", {}, "Body") : null, schema ? fields(schema, resolved) : null, body ?? null,
    element("h4", {}, "Command"), command, send, stop, reply,
    element("h4", {}, "Replies"), replies(call, resolved));
  token.addEventListener("input", refresh);
  refresh();
  return form;
}

function input_for(schema) {
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum?.filter(Boolean);
  if (choices) return element("select", {}, ...["", ...choices].map((value) => element("option", {}, value)));
  return element("input", {type: "text", placeholder: schema.default ?? "", spellcheck: false});
}

const kind_of = (schema, resolved) => schema.$ref ? kind_of(resolved(schema), resolved)
  : schema.type === "array" ? "array of " + kind_of(schema.items, resolved)
  : schema.additionalProperties?.type ? "map to " + schema.additionalProperties.type : schema.format ?? schema.type;

function row(parameter) {
  return element("tr", {},
    element("th", {}, element("code", {className: parameter.required ? "required" : ""}, parameter.name),
      element("br"), element("small", {}, parameter.in)),
    element("td", {}, ...prose(parameter.description), parameter.input));
}

function fields(schema, resolved) {
  const rows = Object.entries(schema.properties).map(([name, field]) => {
    const marks = [schema.required?.includes(name) && "required", field.deprecated && "deprecated"];
    const inner = resolved(field.items ?? field);
    return element("tr", {},
      element("th", {}, element("code", {className: marks.filter(Boolean).join(" ")}, name), element("br"),
        element("small", {}, kind_of(field, resolved))),
      element("td", {}, ...prose(field.description), inner.properties ? fields(inner, resolved) : null));
  });
  return element("details", {}, element("summary", {}, "Fields"), element("table", {}, ...rows));
}

function replies(call, resolved) {
  const rows = Object.entries(call.responses).map(([status, reply]) => {
    const {description, content} = resolved(reply);
    const schema = content && resolved(Object.values(content)[0].schema);
    return element("tr", {}, element("th", {className: status < 300 ? "good" : "bad"}, status),
      element("td", {}, ...prose(description), status < 300 && schema?.properties ? fields(schema, resolved) : null));
  });
  return element("table", {}, ...rows);
}

// What a body may look like: what is required, and what has an example.
function example(schema, resolved) {
  const entries = Object.entries(schema.properties)
    .filter(([name, field]) => schema.required?.includes(name) || field.example !== undefined)
    .map(([name, field]) => [name, field.type === "array" ? [field.items.example ?? ""] : field.example ?? ""]);
  return Object.fromEntries(entries);
}

function request_of(path, verb, parameters, body) {
  const headers = {};
  const query = new URLSearchParams();
  for (const {name, in: place, input} of parameters) {
    const value = input.value.trim();
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value && place === "query") query.set(name, value);
    else if (value) headers[name] = value;
  }
  if (token.value.trim()) headers.Authorization = "Bearer " + token.value.trim();
  if (body) headers["Content-Type"] = "application/json";
  const suffix = query.size ? "?" + query : "";
  return {url: location.origin + path + suffix, verb, headers, body: body?.value};
}

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function curl({url, verb, headers, body}) {
  const lines = ["curl -sN " + (verb === "GET" ? "" : "-X " + verb + " ") + quoted(url)];
  // The token is not shown: who copies the command has it in $TOKEN.
  for (const [name, value] of Object.entries(headers)) {
    lines.push("-H " + (name === "Authorization" ? '"Authorization: Bearer $TOKEN"' : quoted(`${name}: ${value}`)));
  }
  if (body) lines.push("--data-raw " + quoted(body));
  return lines.join(" \\\n  ");
}

async function run({url, verb, headers, body}, send, stop, reply) {
  const controller = new AbortController();
  const output = element("pre");
  const status = element("p", {}, "...");
  reply.replaceChildren(status, output);
  stop.onclick = () => controller.abort();
  [send.disabled, stop.disabled] = [true, false];
  try {
    const answer = await fetch(url, {method: verb, headers, body, signal: controller.signal,
      credentials: "omit", redirect: "error", cache: "no-store"});
    status.className = answer.ok ? "good" : "bad";
    status.textContent = `${answer.status}  x-request-id: ${answer.headers.get("x-request-id")}`;
    await read(answer, output);
  } catch (problem) {
    if (!controller.signal.aborted) status.append(element("span", {className: "bad"}, ` ${problem.message}`));
  }
  [send.disabled, stop.disabled] = [false, true];
}

// A log or a watch is shown as it comes; JSON is laid out when it is whole.
async function read(answer, output) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    output.textContent = (output.textContent + part.value).slice(-500000);
    output.scrollTop = output.scrollHeight;
  }
  if (answer.headers.get("content-type") === "application/json") {
    output.textContent = JSON.stringify(JSON.parse(output.textContent), null, 2);
  }
}

api("/api/v1/openapi.json").then((answer) => answer.json()).then((openapi) => {
  show(openapi);
  const linked = document.getElementById(location.hash.slice(1));
  if (linked) linked.open = true;
});

// Makes requests out of forms, sends them, and shows what comes back.
"use strict";

const MOST = 500000;  // characters of a stream that are shown, its last ones

const token = document.getElementById("token");
const api = (path) => fetch(path, {headers: credential(), credentials: "omit", redirect: "error"});

function credential() {
  const text = token.value.trim();
  return text ? {Authorization: "Bearer " + text} : {};
}

// A key that came behind the # of the page's address, which keeps it for this tab, too.
function take_key() {
  const given = /^#token=([^&]+)$/.exec(location.hash);
  if (given) {
    sessionStorage.setItem("krkn-key", decodeURIComponent(given[1]));
    history.replaceState(null, "", location.pathname);
  }
  token.value = sessionStorage.getItem("krkn-key") ?? "";
}

const typed = ({schema}, text) => (schema.type === "integer" ? Number(text) : schema.type === "boolean" ? text === "true" : text);

function request_of(operation, path, verb, parameters, body) {
  const headers = {}, values = {};
  const query = new URLSearchParams();
  for (const parameter of parameters) {
    const {name, in: place, input} = parameter;
    const value = input.value.trim();
    if (value && place !== "header") values[name] = typed(parameter, value);
    if (place === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value && place === "query") query.set(name, value);
    else if (value) headers[name] = value;
  }
  Object.assign(headers, credential());
  const text = body?.value.trim();
  if (text) headers["Content-Type"] = "application/json";
  const suffix = query.size ? "?" + query : "";
  return {operation, url: location.origin + path + suffix, verb, headers, values, body: text};
}

// Returns what is missing, for people; "" when the request can be sent.
function missing(parameters, schema, body) {
  const empty = parameters.filter(({required, input}) => required && !input.value.trim()).map(({name}) => name);
  if (!schema || (!body.value.trim() && !schema.required)) return empty.length ? `Missing: ${empty.join(", ")}` : "";
  let given;
  try {
    given = JSON.parse(body.value);
  } catch (problem) {
    return `The body is not JSON: ${problem.message}`;
  }
  const fields = (schema.required ?? []).filter((name) => [undefined, null, ""].includes(given[name]) || given[name].length === 0);
  return [...empty, ...fields].length ? `Missing: ${[...empty, ...fields].join(", ")}` : "";
}

async function run({url, verb, headers, body}, send, hang_up, reply) {
  const controller = new AbortController();
  const output = element("pre", {tabIndex: 0});
  const status = element("p", {role: "status"}, "...");
  reply.replaceChildren(status, output);
  hang_up.onclick = () => controller.abort();
  [send.disabled, hang_up.hidden] = [true, false];
  try {
    const answer = await fetch(url, {method: verb, headers, body: body || undefined, signal: controller.signal,
      credentials: "omit", redirect: "error", cache: "no-store"});
    status.className = answer.ok ? "good" : "bad";
    status.replaceChildren(`${answer.status}  x-request-id: ${answer.headers.get("x-request-id")} `,
      copy_button(() => output.textContent));
    await read(answer, output);
  } catch (problem) {
    if (!controller.signal.aborted) status.append(element("span", {className: "bad"}, ` ${problem.message}`));
  }
  [send.disabled, hang_up.hidden] = [false, true];
}

// JSON is shown from its beginning, when it is whole; a log or a watch as it comes, at its end unless the reader has
// gone back.
async function read(answer, output) {
  if (answer.headers.get("content-type") === "application/json") {
    output.textContent = JSON.stringify(await answer.json(), null, 2);
    return;
  }
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const follows = output.scrollTop + output.clientHeight >= output.scrollHeight - 20;
    output.textContent = (output.textContent + part.value).slice(-MOST);
    if (follows) output.scrollTop = output.scrollHeight;
  }
}

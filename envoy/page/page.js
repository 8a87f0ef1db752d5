// Shows the OpenAPI document: a form for each call, which a link opens by its name, and a search.
"use strict";

const search = document.getElementById("search");

function show(openapi) {
  const resolved = (node) => (node.$ref ? node.$ref.slice(2).split("/").reduce((at, key) => at[key], openapi) : node);
  document.getElementById("about").append(...prose(openapi.info.description));
  const main = document.getElementById("calls");
  for (const tag of openapi.tags) {
    const section = element("section", {}, element("h2", {}, tag.name), ...prose(tag.description));
    for (const [path, calls] of Object.entries(openapi.paths)) {
      for (const [verb, call] of Object.entries(calls)) {
        if (call.tags.includes(tag.name)) section.append(show_call(path, verb.toUpperCase(), call, resolved));
      }
    }
    main.append(section);
  }
}

function show_call(path, verb, call, resolved) {
  const summary = element("summary", {}, element("span", {className: "verb " + verb}, verb),
    element("span", {className: "path"}, path), element("span", {className: "title"}, ...inline(call.summary)));
  const details = element("details", {className: "call", id: call.operationId}, summary);
  details.dataset.words = `${verb} ${path} ${call.operationId} ${call.summary}`.toLowerCase();
  // Made when it is looked at.
  details.addEventListener("toggle", () => details.append(show_form(path, verb, call, resolved)), {once: true});
  details.addEventListener("toggle", () => {
    if (details.open) history.replaceState(null, "", "#" + details.id);
    else if (location.hash === "#" + details.id) history.replaceState(null, "", location.pathname);
  });
  return details;
}

function show_form(path, verb, call, resolved) {
  const parameters = (call.parameters ?? []).map(resolved).map((one) => ({...one, input: input_for(one, path)}));
  const schema = call.requestBody && resolved(call.requestBody.content["application/json"].schema);
  const body = schema && element("textarea", {value: JSON.stringify(example(schema, resolved, false), null, 2),
    spellcheck: false, ariaLabel: "Body"});
  const reply = element("div"), problem = element("p", {className: "bad", role: "alert"});
  const send = button("Send", async () => {
    problem.textContent = missing(parameters, schema, body);
    if (problem.textContent) return;
    const asked = request();
    if (verb === "GET" || await confirmed(`${verb} ${asked.url.replace(location.origin, "")}`, "Send")) {
      run(asked, send, hang_up, reply);
    }
  }, "");
  const hang_up = element("button", {type: "button", className: "plain", hidden: true}, "Hang up");
  const request = () => request_of(call.operationId, path, verb, parameters, body);
  const [commands, refresh] = show_commands(request);
  const fill = (is_whole) => () => {
    body.value = JSON.stringify(example(schema, resolved, is_whole), null, 2);
    refresh();
  };
  token.addEventListener("input", refresh);
  return element("div", {className: "inside", oninput: refresh}, ...prose(call.description),
    parameters.length ? element("table", {}, ...parameters.map(row)) : null,
    ...(schema ? [element("h3", {}, "Body"), fields(schema, resolved),
      schema.properties.targetUUIDs ? target_picker(body, refresh) : null, body,
      button("What is required", fill(false)), button("Every field", fill(true))] : []),
    element("h3", {}, "Command"), commands, problem, send, hang_up, reply,
    element("h3", {}, "Replies"), replies(call, resolved));
}

// Returns the commands for other programs, and what shows them as the form is now.
function show_commands(request) {
  const shown = element("pre", {tabIndex: 0});
  const choice = element("select", {ariaLabel: "Program"}, ...Object.keys(COMMANDS).map((name) => element("option", {}, name)));
  const refresh = () => { shown.textContent = COMMANDS[choice.value](request()); };
  choice.onchange = refresh;
  refresh();
  return [element("div", {className: "command"}, choice, copy_button(() => shown.textContent), shown), refresh];
}

function open_linked() {
  const linked = document.getElementById(location.hash.slice(1));
  if (!linked?.matches(".call")) return;
  linked.open = true;
  linked.scrollIntoView();
}

search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const call of document.querySelectorAll(".call")) call.hidden = !words.every((word) => call.dataset.words.includes(word));
  for (const section of document.querySelectorAll("section")) section.hidden = !section.querySelector(".call:not([hidden])");
});

take_key();
addEventListener("hashchange", open_linked);
api("/api/v1/openapi.json").then((answer) => answer.json()).then((openapi) => {
  show(openapi);
  open_linked();
});

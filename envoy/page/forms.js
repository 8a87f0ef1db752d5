// The form of one call: its parameters, its body, the targets to choose from.
"use strict";

let listed;  // the targets, once a form needs them
let lists = 0;

function targets() {
  listed ??= api("/api/v1/operator/targets?pageSize=1000").then(async (answer) => {
    if (!answer.ok) throw new Error((await answer.json()).message);
    return (await answer.json()).targets;
  });
  listed.catch(() => { listed = undefined; });
  return listed;
}

const title_of = (target) => target.clusterName + (target.ready ? "" : " (not ready)");

// A list below a field that wants a target's uuid.
function with_targets(input) {
  const list = element("datalist", {id: `targets-${++lists}`});
  input.setAttribute("list", list.id);
  input.addEventListener("focus", () => targets().then((found) => list.replaceChildren(
    ...found.map((target) => element("option", {value: target.uuid, label: title_of(target)})))).catch(() => {}));
  return element("span", {}, input, list);
}

// Chooses the targets of a body.
function target_picker(body, changed) {
  const select = element("select", {multiple: true, size: 6, ariaLabel: "Targets", onchange: () => {
    const chosen = [...select.selectedOptions].map(({value}) => value);
    body.value = JSON.stringify({...JSON.parse(body.value || "{}"), targetUUIDs: chosen}, null, 2);
    changed();
  }});
  const problem = element("small", {className: "bad"});
  const details = element("details", {}, element("summary", {}, "Choose targets"), select, problem);
  details.addEventListener("toggle", () => targets().then((found) => select.replaceChildren(
    ...found.map((target) => element("option", {value: target.uuid}, title_of(target)))))
    .catch((error) => { problem.textContent = error.message; }), {once: true});
  return details;
}

function input_for({name, in: place, schema}, path) {
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum?.filter(Boolean);
  if (choices) return element("select", {}, ...["", ...choices].map((value) => element("option", {}, value)));
  const example = schema.example ?? schema.default;
  const made = element("input", {type: "text", placeholder: example ?? "", spellcheck: false, autocomplete: "off", ariaLabel: name});
  made.is_of_target = name === "targetUUID" || (place === "path" && path.includes("/operator/targets/"));
  return made;
}

const kind_of = (schema, resolved) => schema.$ref ? kind_of(resolved(schema), resolved)
  : schema.type === "array" ? "array of " + kind_of(schema.items, resolved)
  : schema.additionalProperties?.type ? "map to " + schema.additionalProperties.type : schema.format ?? schema.type;

// A value that a field may have.
function example_of(schema, resolved) {
  schema = resolved(schema);
  const given = schema.example ?? schema.default ?? schema.enum?.find(Boolean);
  if (given !== undefined) return given;
  if (schema.type === "array") return [example_of(schema.items, resolved)];
  if (schema.properties) return example(schema, resolved, true);
  if (schema.type === "object") return {name: "value"};
  return schema.type === "boolean" ? false : schema.type === "integer" ? schema.minimum ?? 0 : "";
}

// What a body may look like: what is required and what has an example, or every field that is not deprecated.
function example(schema, resolved, is_whole) {
  const entries = Object.entries(schema.properties)
    .filter(([name, field]) => !field.deprecated
      && (is_whole || schema.required?.includes(name) || field.example !== undefined))
    .map(([name, field]) => [name, name === "targetUUIDs" ? [] : example_of(field, resolved)]);
  return Object.fromEntries(entries);
}

function row(parameter) {
  return element("tr", {},
    element("th", {}, element("code", {className: parameter.required ? "required" : ""}, parameter.name),
      element("br"), element("small", {}, parameter.in)),
    element("td", {}, ...prose(parameter.description),
      parameter.input.is_of_target ? with_targets(parameter.input) : parameter.input));
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

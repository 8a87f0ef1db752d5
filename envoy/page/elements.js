// Elements of the page. All text goes in as text, never as HTML.
"use strict";

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

const button = (text, onclick, className = "plain") => element("button", {type: "button", className, onclick}, text);

// Copies what `text` returns then, and says so for a moment.
function copy_button(text) {
  const made = button("Copy", async () => {
    await navigator.clipboard.writeText(text());
    made.textContent = "Copied";
    setTimeout(() => { made.textContent = "Copy"; }, 1500);
  });
  return made;
}

// Resolves to whether the user says yes.
function confirmed(question, yes) {
  const dialog = element("dialog", {}, element("p", {}, question),
    button(yes, () => dialog.close("yes"), ""), button("Cancel", () => dialog.close("")));
  dialog.setAttribute("aria-label", question);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue === "yes");
  }));
}

// The command palette: what is typed is looked for on the server, and chosen with the arrow keys.
const WAIT = 120; // ms without a key before the server is asked
const SLOW = 300; // ms after which the wait is shown

const dialog = document.getElementById("palette");
const input = dialog.querySelector("input");
const list = dialog.querySelector("[role=listbox]");
const said = dialog.querySelector("[role=status]");
let asking = null; // the question under way
let timer = 0;
let place = -1; // of the option that Enter opens
let eager = false; // Enter was pressed before the answer came

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  document.querySelectorAll("[data-modified]").forEach((key) => { key.textContent = "⌘K"; });
}
document.querySelectorAll(".find kbd").forEach((key) => { key.hidden = false; });

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-palette]");
  if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open();
});
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
  event.preventDefault();
  if (dialog.open) dialog.close();
  else open();
});

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close(); // beside it
  const option = event.target.closest("[role=option]");
  if (option) follow(option, event.ctrlKey || event.metaKey);
});
dialog.addEventListener("close", stop);
input.addEventListener("input", () => {
  stop();
  choose(-1);
  timer = setTimeout(ask, WAIT);
});
input.addEventListener("keydown", (event) => {
  const options = list.querySelectorAll("[role=option]");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (options.length) choose(place < 0 ? (step > 0 ? 0 : options.length - 1) : (place + step + options.length) % options.length);
  } else if (event.key === "Enter" && !event.isComposing) {
    if (place >= 0) {
      event.preventDefault();
      follow(options[place], event.ctrlKey || event.metaKey);
    } else if (timer || asking) {
      event.preventDefault();
      eager = true;
    } // else the form goes to the page that searches
  }
});

function open() {
  document.querySelectorAll("dialog[open]").forEach((other) => other.close());
  dialog.showModal();
  input.select();
  ask();
}

function stop() {
  clearTimeout(timer);
  timer = 0;
  asking?.abort();
  asking = null;
  eager = false;
  list.removeAttribute("aria-busy");
}

async function ask() {
  const wanted = eager;
  stop();
  eager = wanted;
  const mine = asking = new AbortController();
  const slow = setTimeout(() => list.setAttribute("aria-busy", "true"), SLOW);
  try {
    const answer = await fetch(`${input.dataset.from}?q=${encodeURIComponent(input.value)}`, { signal: mine.signal });
    if (!answer.ok) throw new Error(answer.statusText);
    const found = (await answer.json()).results;
    if (mine !== asking) return;
    const go = eager;
    stop();
    show(found);
    if (go && found.length) follow(list.querySelector("[role=option]"), false);
  } catch (error) {
    if (mine !== asking) return; // given up for a newer question
    stop();
    show([]);
    said.textContent = "The search does not answer. Press Enter to try it on its own page.";
  } finally {
    clearTimeout(slow);
  }
}

function show(found) {
  const groups = new Map();
  for (const one of found) groups.set(one.kind, [...(groups.get(one.kind) ?? []), one]);
  let number = 0;
  list.replaceChildren(...[...groups].map(([kind, answers], group) => {
    const head = made("h3", kind, { id: `found-g${group}` });
    const options = answers.map((one) => {
      const option = made("div", "", { role: "option", id: `found-${number += 1}`, "aria-selected": "false", "data-address": one.address });
      option.append(made("b", one.title), made("span", one.hint));
      return option;
    });
    const section = made("div", "", { role: "group", "aria-labelledby": head.id });
    section.append(head, ...options);
    return section;
  }));
  input.setAttribute("aria-expanded", String(found.length > 0));
  said.textContent = found.length ? "" : `Nothing matches “${input.value}”.`;
  choose(found.length && input.value ? 0 : -1);
}

function choose(next) {
  const options = list.querySelectorAll("[role=option]");
  options[place]?.setAttribute("aria-selected", "false");
  place = next;
  const chosen = options[place];
  if (!chosen) {
    input.removeAttribute("aria-activedescendant");
    return;
  }
  chosen.setAttribute("aria-selected", "true");
  chosen.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", chosen.id);
}

function follow(option, apart) {
  if (apart) {
    window.open(option.dataset.address);
    return;
  }
  dialog.close();
  location.assign(option.dataset.address);
}

function made(name, text, attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

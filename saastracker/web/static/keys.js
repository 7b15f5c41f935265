// Single keys that go somewhere or open something, and menus that close by Esc or a click beside them.
const PAUSE = 1000; // ms in which the second key of two must come
const MENUS = "details.drop[open], details.menu[open]";
const places = new Map([...document.querySelectorAll("[data-go]")].map((link) => [link.dataset.go, link.href]));
let led = -Infinity; // when `g` was pressed

const actions = {
  "?": () => document.getElementById("keys").showModal(),
  "/": () => {
    const search = shown("input.search");
    if (search) search.select();
    else shown("[data-palette]")?.click();
  },
  d: () => openMenu("span"),
  f: () => openMenu("add-filter"),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") leave(event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select, [contenteditable]")) return;
  const second = performance.now() - led < PAUSE;
  led = -Infinity;
  if (second && places.has(event.key)) location.assign(places.get(event.key));
  else if (event.key === "g") led = performance.now();
  else if (Object.hasOwn(actions, event.key)) actions[event.key]();
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.matches("dialog")) event.target.close(); // beside what it holds
  const path = event.composedPath(); // what was clicked may be gone from the page by now
  for (const menu of document.querySelectorAll(MENUS)) if (!path.includes(menu)) menu.open = false;
});

function leave(from) {
  const menu = from.closest(MENUS) ?? document.querySelector(MENUS);
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
}

function openMenu(name) {
  const menu = shown(`details.${name}`);
  if (!menu) return;
  menu.open = true;
  const current = menu.querySelector(".pop a[aria-current]");
  (current ?? menu.querySelector(".pop :is(a, select, input:not([type=hidden]))")).focus();
}

function shown(selector) {
  return [...document.querySelectorAll(selector)].find((element) => element.checkVisibility());
}

// New events appear at the top of the table as they are stored; opened rows stay open.
const status = document.getElementById("live");
if (status) follow();

function follow() {
  const pause = document.getElementById("pause");
  const newer = document.getElementById("newer");
  const rows = document.getElementById("rows");
  const text = status.querySelector("span");
  const told = text.textContent;
  const waiting = [];
  const names = rows ? shownNames(rows) : new Map();
  let known = new Set(); // what the page shows from another source than the stream
  let skipped = 0;
  let paused = false;

  const limit = Number(status.dataset.limit);
  const time = clock(status.dataset.timezone);
  const source = new EventSource(status.dataset.events);
  source.onopen = async () => { // also after a break: what came since the page was made is not in the stream
    text.textContent = told;
    const newest = await fetchRows(status.dataset.json);
    if (!rows) { if (newest.length) begin(status, text); return; }
    known = new Set([...rows.querySelectorAll('[data-key="id"]')].map((slot) => slot.textContent));
    for (const event of waiting) known.add(event.id);
    waiting.unshift(...newest.reverse().filter((event) => !known.has(event.id)));
    for (const event of newest) known.add(event.id);
  };
  source.onerror = () => { text.textContent = source.readyState === EventSource.CLOSED ? "Not live, reload the page" : "Connecting"; };
  status.hidden = false;
  if (!rows) { // nothing yet: with the first event the table takes the place of the instructions
    source.onmessage = () => begin(status, text);
    return;
  }
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    if (known.has(event.id)) return;
    waiting.push(event);
    if (waiting.length > limit) { waiting.shift(); skipped += 1; }
  };
  source.addEventListener("skipped", (message) => { skipped += JSON.parse(message.data).skipped; });
  setInterval(show, 250);
  pause.addEventListener("click", () => setPaused(!paused));
  newer.addEventListener("click", () => setPaused(false));
  pause.hidden = false;

  function setPaused(value) {
    paused = value;
    pause.textContent = paused ? "Resume" : "Pause";
    pause.setAttribute("aria-pressed", String(paused));
    show();
  }

  function show() {
    const count = waiting.length + skipped;
    newer.hidden = !(paused && count);
    if (paused || !count) {
      if (count) newer.textContent = `Show ${count.toLocaleString("en")} newer event${count === 1 ? "" : "s"}`;
      return;
    }
    document.getElementById("none")?.remove();
    if (skipped) { text.textContent = `Live, ${skipped.toLocaleString("en")} skipped`; skipped = 0; }
    for (const event of waiting.splice(0)) rows.prepend(row(event, time, names));
    const surplus = [...rows.querySelectorAll("tr:not(.detail)")].slice(limit);
    for (const old of surplus) { old.nextElementSibling?.remove(); old.remove(); }
  }
}

// The table takes the place of the instructions, on a report once it has counted the event.
async function begin({ dataset: { counted } }, text) {
  if (counted) text.textContent = "The first event is here and is being counted.";
  while (counted && (await (await fetch(counted)).json()).blocks[0].key === "waiting") {
    await new Promise((resolve) => { setTimeout(resolve, 1000); });
  }
  location.reload();
}

async function fetchRows(url) {
  const answer = await fetch(url);
  if (!answer.ok) return [];
  const [table] = (await answer.json()).blocks;
  return table.rows.map((cells) => Object.fromEntries(cells.map((cell, place) => [table.columns[place].key, cell])));
}

// What the page calls people and organizations, of whom the stream tells ids.
function shownNames(rows) {
  const called = [...rows.querySelectorAll('[data-type="text"][title]')].filter(({ title, textContent }) => title !== textContent);
  return new Map(called.map((slot) => [named(slot, slot.title), slot.textContent]));
}

function named(slot, id) { return `${slot.dataset.key} ${id}`; }

function row(event, time, names) {
  const copy = document.getElementById("row").content.cloneNode(true);
  for (const slot of copy.querySelectorAll("[data-key]")) {
    const value = event[slot.dataset.key] ?? event[slot.dataset.otherwise] ?? null;
    if (value === null) continue;
    if (slot.dataset.type === "time") {
      slot.dateTime = slot.title = value;
      slot.textContent = time(value);
    } else {
      slot.textContent = names.get(named(slot, value)) ?? worded(value, slot.dataset.type);
      slot.title = value;
    }
    if (slot.dataset.dimension && event[slot.dataset.key]) only(slot, event[slot.dataset.key]);
    if (slot.dataset.type === "tag") slot.classList.toggle("risk", value === "error");
  }
  copy.querySelector("[data-json]").append(...marked(JSON.stringify(event, null, 2)));
  return copy;
}

// Makes a value lead to the page with nothing else, as the server does for rows that are there already.
function only(slot, value) {
  const link = document.createElement("a");
  const asked = new URLSearchParams(location.search);
  if (slot.dataset.dimension === "environment") asked.set("environment", value);
  else asked.append("f", `${slot.dataset.dimension}:is:${value}`);
  link.className = "by";
  link.href = `?${asked}`;
  slot.replaceWith(link);
  link.append(slot);
}

function worded(value, type) {
  if (type === "number") return value.toLocaleString("en");
  return type === "tag" ? value.slice(0, 1).toUpperCase() + value.slice(1).replaceAll("_", " ") : value;
}

function clock(timeZone) {
  const part = (options) => new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
  const date = part({ dateStyle: "short" });
  const day = part({ day: "numeric", month: "short" });
  const exact = part({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
  const plain = part({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return (text) => {
    const at = new Date(text);
    return date.format(at) === date.format(new Date()) ? exact.format(at) : `${day.format(at)} ${plain.format(at)}`;
  };
}

function* marked(json) {
  let end = 0;
  for (const token of json.matchAll(/("(?:[^"\\]|\\.)*")(:)?|(-?\b\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b)/g)) {
    yield json.slice(end, token.index);
    const span = document.createElement("span");
    span.className = token[3] ? "j-n" : token[2] ? "j-k" : "j-s";
    span.textContent = token[1] ?? token[3];
    yield span;
    end = token.index + span.textContent.length;
  }
  yield json.slice(end);
}

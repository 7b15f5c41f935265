// A chart's values under the pointer, or by the arrow keys: what its table says, beside the point.
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 176;
const LETTERS = 24; // of an annotation, in a line of that width
const LINES = 4;

document.querySelectorAll("[data-readout]").forEach((chart) => readout(chart));

function readout(chart) {
  const svg = chart.querySelector("svg");
  const table = chart.parentElement.querySelector(".tbl table");
  const heads = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent);
  const noted = [...table.querySelectorAll("thead th")].findIndex((cell) => "notes" in cell.dataset);
  const rows = [...table.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent));
  const lines = [...svg.querySelectorAll("path[data-y]")].map((path) => ({
    path, before: path.classList.contains("prev"), heights: path.dataset.y.split(","),
  })).reverse(); // they are drawn from the last to the first
  const height = Number(svg.dataset.height);
  const bars = !lines.length;
  const marks = [...chart.parentElement.querySelectorAll(".legend svg > *")].map((mark) => mark.getAttribute("class"));
  const group = svg.appendChild(make("g", { class: "hover", "aria-hidden": "true" }));
  const said = chart.appendChild(document.createElement("output"));
  said.className = "sr";
  let place = -1;

  chart.tabIndex = 0;
  chart.setAttribute("role", "group");
  chart.setAttribute("aria-label", `${svg.querySelector("title").textContent}. Arrow keys read the values.`);
  chart.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    show(bars || rows.length < 2 ? Math.floor(share * rows.length) : Math.round(share * (rows.length - 1)));
  });
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", (event) => {
    const last = rows.length - 1;
    const next = { ArrowLeft: Math.max(place - 1, 0), ArrowRight: place + 1, Home: 0, End: last }[event.key];
    if (event.key === "Escape") hide();
    if (next === undefined) return;
    event.preventDefault();
    show(next);
    said.textContent = rows[place].map((text, column) => (column && text ? `${heads[column]} ${text}` : text)).filter(Boolean).join(", ");
  });

  function hide() {
    place = -1;
    group.replaceChildren();
  }

  function show(wanted) {
    const next = Math.min(Math.max(wanted, 0), rows.length - 1);
    if (next === place || next < 0) return;
    place = next;
    const share = bars || rows.length < 2 ? (place + 0.5) / rows.length : place / (rows.length - 1);
    const x = `${(share * 100).toFixed(2)}%`;
    const dots = lines.filter((line) => line.heights[place]).map((line) => make("circle", {
      class: line.before ? "dot hollow" : `dot ${line.path.getAttribute("class").split(" ")[1]}`,
      cx: x, cy: line.heights[place], r: line.before ? 3.5 : 4.5,
    }));
    group.replaceChildren(make("line", { class: "cursor", x1: x, x2: x, y1: 0, y2: height }), ...dots, box(x, share));
  }

  function box(x, share) {
    const entries = facts();
    const notes = noted < 0 ? [] : lined(rows[place][noted]);
    const room = svg.getBoundingClientRect().width;
    const right = share * room + 12 + WIDTH < room;
    const left = right ? 12 : Math.max(-12 - WIDTH, -share * room - 36);
    const read = make("svg", { class: "read", x, y: 8, overflow: "visible" });
    read.append(make("rect", { x: left, width: WIDTH, height: 32 + 20 * entries.length + 16 * notes.length, rx: 6 }));
    read.append(text(rows[place][0], { class: "when", x: left + 12, y: 20 }));
    entries.forEach(([mark, label, value], number) => {
      const y = 40 + 20 * number;
      if (mark) read.append(make("line", { class: mark.replace("fill", "line"), x1: left + 12, x2: left + 22, y1: y - 4, y2: y - 4 }));
      read.append(text(short(label), { x: left + (mark ? 28 : 12), y }), text(value, { class: "v", x: left + WIDTH - 12, y }));
    });
    notes.forEach((note, number) => read.append(text(note, { x: left + 12, y: 40 + 20 * entries.length + 16 * number })));
    return read;
  }

  // [class of the mark, label, value] of the lines, then of the span before, then the change.
  function facts() {
    const cells = rows[place];
    const compared = heads.indexOf("Before");
    const count = [compared, noted, heads.length].find((column) => column >= 0);
    const found = [];
    for (let column = 1; column < count; column += 1) found.push([marks[column - 1] ?? "line k1", heads[column], cells[column]]);
    if (compared > 0) found.push(["line prev", cells[compared], cells[compared + 1]], ["", "Change", cells[compared + 2]]);
    return found;
  }
}

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function text(content, attributes) {
  const element = make("text", attributes);
  element.textContent = content;
  return element;
}

// A text in lines that the read-out has room for.
function lined(text) {
  const lines = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && longer.length <= LETTERS) lines[lines.length - 1] = longer;
    else lines.push(word.length > LETTERS ? `${word.slice(0, LETTERS - 1)}…` : word);
  }
  return lines.length > LINES ? [...lines.slice(0, LINES - 1), `${lines[LINES - 1].slice(0, LETTERS - 1)}…`] : lines;
}

function short(label) {
  return label.length > 16 ? `${label.slice(0, 15)}…` : label;
}

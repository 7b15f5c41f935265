// Months above the date fields of the span, two where there is room: the first click is where it begins, the second where it ends.
const DAY = 86_400_000;
const wide = matchMedia("(min-width: 901px)");
const format = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const month = format({ month: "long", year: "numeric" });
const whole = format({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
const short = format({ day: "numeric", month: "short", year: "numeric" });
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

document.querySelectorAll("form.cal").forEach(calendar);

function calendar(form) {
  const from = form.elements.from;
  const to = form.elements.to;
  const today = parsed(form.dataset.today);
  const months = form.insertBefore(made("div", "months"), form.querySelector(".dates"));
  const said = months.appendChild(made("p", "picked"));
  said.setAttribute("role", "status");
  let count = wide.matches ? 2 : 1; // months that are shown
  let span = read();
  let picking = null; // the first day of a new span
  let pointed = null; // where it would end
  let focused = span[1];
  let first = shifted(monthOf(focused), 1 - count);

  for (const field of [from, to]) {
    field.addEventListener("change", () => {
      span = read();
      picking = null;
      focused = span[1];
      reveal();
      draw();
    });
  }
  wide.addEventListener("change", () => {
    count = wide.matches ? 2 : 1;
    reveal();
    draw();
  });
  months.addEventListener("click", (event) => {
    const turn = event.target.closest("[data-turn]");
    if (turn) {
      first = shifted(first, Number(turn.dataset.turn));
      if (!visible(focused)) focused = first;
      draw();
      months.querySelector(`[data-turn="${turn.dataset.turn}"]`).focus();
      return;
    }
    const button = event.target.closest("[data-day]");
    if (button) pick(Number(button.dataset.day));
  });
  months.addEventListener("pointerover", (event) => {
    const button = event.target.closest("[data-day]");
    if (button && picking !== null) point(Number(button.dataset.day));
  });
  months.addEventListener("keydown", (event) => {
    if (!event.target.closest("[data-day]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = moved(event.key, focused);
    if (next === null) return;
    event.preventDefault();
    focused = next;
    if (picking !== null) pointed = focused;
    reveal();
    draw();
    months.querySelector(`[data-day="${focused}"]`).focus();
  });
  draw();

  function read() {
    const days = [parsed(from.value), parsed(to.value)].map((day) => (Number.isNaN(day) ? today : day));
    return days[0] <= days[1] ? days : [days[1], days[0]];
  }

  function pick(day) {
    focused = day;
    if (picking === null) {
      picking = pointed = day;
      span = [day, day];
    } else {
      span = [Math.min(picking, day), Math.max(picking, day)];
      picking = null;
    }
    [from.value, to.value] = span.map(iso);
    draw();
    months.querySelector(`[data-day="${day}"]`)?.focus();
  }

  function point(day) {
    pointed = day;
    mark();
  }

  function reveal() {
    if (focused < first) first = monthOf(focused);
    else if (!visible(focused)) first = shifted(monthOf(focused), 1 - count);
  }

  function visible(day) {
    return day >= first && day < shifted(first, count);
  }

  function draw() {
    const tables = Array.from({ length: count }, (_, number) => table(shifted(first, number), number));
    months.replaceChildren(...tables, said);
    mark();
    said.textContent = picking === null
      ? `${short.format(span[0])} – ${short.format(span[1])}`
      : `From ${short.format(picking)}. Choose the last day.`;
  }

  function mark() {
    const [start, end] = picking === null ? span : [Math.min(picking, pointed), Math.max(picking, pointed)];
    for (const button of months.querySelectorAll("[data-day]")) {
      const day = Number(button.dataset.day);
      const inside = day >= start && day <= end;
      const cell = button.parentElement;
      cell.className = [inside && "in", (day === start || day === end) && "edge", day > today && "out", day === today && "today"].filter(Boolean).join(" ");
      cell.setAttribute("aria-selected", String(inside));
    }
  }

  function table(start, number) {
    const box = made("div", "month");
    const head = box.appendChild(made("div", "month-head"));
    const title = made("b", "", month.format(start));
    title.id = `${form.id}-month${number}`;
    head.append(number === 0 ? turner(-1, "Month before") : made("span", "turn"), title, number === count - 1 ? turner(1, "Month after") : made("span", "turn"));
    const grid = box.appendChild(document.createElement("table"));
    grid.setAttribute("role", "grid");
    grid.setAttribute("aria-labelledby", title.id);
    const names = grid.createTHead().insertRow();
    for (const name of WEEKDAYS) {
      const cell = names.appendChild(made("th", "", name.slice(0, 2)));
      cell.scope = "col";
      cell.abbr = name;
    }
    const body = grid.createTBody();
    const end = shifted(start, 1);
    for (let week = monday(start); week < end; week += 7 * DAY) {
      const row = body.insertRow();
      for (let day = week; day < week + 7 * DAY; day += DAY) {
        const cell = row.insertCell();
        if (day >= start && day < end) cell.append(button(day));
      }
    }
    return box;
  }

  function button(day) {
    const element = made("button", "", String(new Date(day).getUTCDate()));
    element.type = "button";
    element.dataset.day = day;
    element.tabIndex = day === focused ? 0 : -1;
    element.setAttribute("aria-label", whole.format(day));
    if (day === today) element.setAttribute("aria-current", "date");
    return element;
  }
}

function turner(step, label) {
  const button = made("button", "turn");
  button.type = "button";
  button.dataset.turn = step;
  button.setAttribute("aria-label", label);
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", step < 0 ? "icon back" : "icon");
  icon.setAttribute("aria-hidden", "true");
  icon.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  icon.firstChild.setAttribute("href", "#i-right");
  button.append(icon);
  return button;
}

function moved(key, day) {
  const weekday = (day - monday(day)) / DAY;
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -weekday, End: 6 - weekday };
  if (key in steps) return day + steps[key] * DAY;
  return key === "PageUp" ? sameDay(day, -1) : key === "PageDown" ? sameDay(day, 1) : null;
}

function sameDay(day, step) {
  const start = shifted(monthOf(day), step);
  const last = new Date(shifted(start, 1) - DAY).getUTCDate();
  return start + (Math.min(new Date(day).getUTCDate(), last) - 1) * DAY;
}

function monthOf(day) {
  const date = new Date(day);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

function shifted(start, step) {
  const date = new Date(start);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + step);
}

function monday(day) {
  return day - ((new Date(day).getUTCDay() + 6) % 7) * DAY;
}

function parsed(text) {
  return Date.parse(`${text}T00:00:00Z`);
}

function iso(day) {
  return new Date(day).toISOString().slice(0, 10);
}

function made(name, className, text = "") {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text) element.textContent = text;
  return element;
}

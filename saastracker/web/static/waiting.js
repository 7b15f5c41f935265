// What is asked for takes a while: a bar says so, and after five seconds it can be cancelled. Who leaves a page that
// is not there yet ends its report on the server, too.
const SLOW = 300; // ms until the wait is shown
const LONG = 5000; // ms until it can be ended
let waiting = null;
let timers = [];

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.hash && link.href.split("#")[0] === location.href.split("#")[0]) return;
  wait();
});
document.addEventListener("submit", (event) => { if (!event.defaultPrevented && event.target.method !== "dialog") wait(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape") done(); }); // which stops browsers, too
addEventListener("pageshow", done); // back to a page as it was left

function wait() {
  done();
  const asked = performance.now();
  timers = [
    setTimeout(() => {
      waiting = document.body.appendChild(document.createElement("div"));
      waiting.className = "waiting";
      const said = waiting.appendChild(text("sr", ""));
      said.setAttribute("role", "status");
      said.textContent = "Loading";
    }, SLOW),
    setTimeout(() => {
      const told = document.createElement("p");
      const seconds = told.appendChild(text("", ""));
      const cancel = told.appendChild(document.createElement("button"));
      cancel.className = "btn";
      cancel.textContent = "Cancel";
      cancel.addEventListener("click", () => { window.stop(); done(); });
      const tell = () => { seconds.textContent = `Still counting, ${Math.round((performance.now() - asked) / 1000)} s so far`; };
      tell();
      timers.push(setInterval(tell, 1000));
      waiting.append(told);
    }, LONG),
  ];
}

function done() {
  timers.forEach((timer) => { clearTimeout(timer); clearInterval(timer); });
  timers = [];
  waiting?.remove();
  waiting = null;
}

function text(name, content) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = content;
  return span;
}

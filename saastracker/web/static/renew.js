// A part of a page that shows how things are now: asked again every ten seconds, while somebody looks.
const SECONDS = 10;
const part = document.querySelector("[data-renew]");

async function renew() {
  // A link with focus would be gone, and so would what was opened to be read.
  if (document.hidden || part.contains(document.activeElement) || part.querySelector("details[open]")) return;
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  part.replaceChildren(...page.querySelector("[data-renew]").children);
}

setInterval(renew, SECONDS * 1000);
document.addEventListener("visibilitychange", renew);

// The page Status shows how the server is now: asked again every ten seconds, while somebody looks.
const SECONDS = 10;
const server = document.getElementById("server");

async function renew() {
  if (document.hidden || server.contains(document.activeElement)) return; // a link with focus would be gone
  const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  server.replaceChildren(...page.getElementById("server").children);
}

setInterval(renew, SECONDS * 1000);
document.addEventListener("visibilitychange", renew);

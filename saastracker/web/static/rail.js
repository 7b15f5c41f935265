// Groups of the rail stay as somebody left them: the server reads the cookie before it draws them. In a low window
// the rail begins where the page's own link can be seen.
const COOKIE = "saastracker_rail";
const YEAR = 365 * 24 * 3600; // seconds

document.querySelector(".rail .nav [aria-current]")?.scrollIntoView({ block: "nearest" });

document.addEventListener("click", (event) => {
  const group = event.target.closest(".nav-group > summary")?.parentElement; // by the keyboard, too
  if (!group) return;
  const kept = document.cookie.split("; ").find((each) => each.startsWith(`${COOKIE}=`));
  const states = new URLSearchParams(kept?.slice(COOKIE.length + 1));
  states.set(group.dataset.section, group.open ? "closed" : "open"); // what the click is about to change
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${COOKIE}=${states}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
});

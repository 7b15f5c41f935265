/** What happens on a page by itself: it is left, it fails, another view of it is shown. */

import { on, safely } from "./safely";

const ERRORS_ALIKE = 5;
const ERRORS_MAX = 100;

/** Runs when the page may be gone the next moment; `ended` when it is being unloaded. */
export function onLeave(run: (ended: boolean) => void): void {
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && run(false));
  on(window, "pagehide", () => run(true));
}

/** Runs for each view: now, when a program changes the path, and when the page comes back from the past. */
export function onView(run: () => void): void {
  let seen: string | undefined;
  const look = safely(() => {
    if (location.pathname === seen) return;
    seen = location.pathname;
    run();
  });
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (this: History, ...given) {
      original.apply(this, given);
      look();
    };
  }
  on(window, "popstate", look);
  on(window, "pageshow", ({ persisted }: PageTransitionEvent) => {
    if (!persisted) return;
    seen = undefined;
    look();
  });
  const first = document as Document & { prerendering?: boolean };
  if (first.prerendering) on(document, "prerenderingchange", look);
  else look();
}

/** Runs for errors that nobody caught: for the same one five times on a page, a hundred times in all. */
export function onError(run: (name: string, message: string, stack: string | undefined) => void): void {
  const seen = new Map<string, number>();
  let total = 0;

  function found(thrown: unknown, message = String(thrown)): void {
    const error = thrown instanceof Error ? thrown : undefined;
    const name = error?.name || "Error";
    const alike = `${name}${error?.message ?? message}${error?.stack}`;
    const times = (seen.get(alike) ?? 0) + 1;
    if (times > ERRORS_ALIKE || ++total > ERRORS_MAX) return;
    seen.set(alike, times);
    run(name, error?.message || message, error?.stack);
  }

  on(window, "error", (event: ErrorEvent) => found(event.error ?? event.message, event.message));
  on(window, "unhandledrejection", (event: PromiseRejectionEvent) => found(event.reason));
}

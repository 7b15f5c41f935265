/**
 * Web vitals as web.dev defines them, of the page as it was loaded until it is first hidden. The package `web-vitals`
 * alone is 3.4 kB gzipped; what it does beside this (soft navigations, attribution, pages back from the past) is left out.
 */

import { safely } from "./safely";

const WINDOW_MS = 5000; // of layout shifts that count together
const GAP_MS = 1000;
const SLOW_MS = 40; // quicker interactions are told only if they are the first

type Entry = PerformanceEntry & {
  value: number;
  hadRecentInput: boolean;
  interactionId?: number;
  activationStart: number;
  responseStart: number;
};

/** Tells TTFB and FCP as they come; LCP, CLS and INP when the function it returns is called the first time. */
export function onVitals(run: (name: string, value: number) => void): () => void {
  const [load] = performance.getEntriesByType("navigation") as Entry[];
  const start = load?.activationStart ?? 0; // a page that was rendered in advance begins when it is looked at
  const observers: [PerformanceObserver, (entries: PerformanceEntryList) => void][] = [];

  /** Whether the browser knows the type. */
  function observe(type: string, seen: (entry: Entry) => void): boolean {
    try {
      const known = PerformanceObserver.supportedEntryTypes.includes(type);
      if (!known) return false;
      const all = safely((entries: PerformanceEntryList) => (entries as Entry[]).forEach(seen));
      const observer = new PerformanceObserver((list) => all(list.getEntries()));
      observer.observe({ type, buffered: true, durationThreshold: SLOW_MS } as PerformanceObserverInit);
      observers.push([observer, all]);
      return true;
    } catch {
      return false;
    }
  }

  const since = (moment: number): number => Math.max(0, moment - start);
  if (load?.responseStart) run("TTFB", since(load.responseStart));

  let painted = 0;
  // Nobody waits for a hidden page, and browsers paint it late.
  if (document.visibilityState !== "hidden") {
    observe("paint", ({ name, startTime }) => name === "first-contentful-paint" && run("FCP", since(startTime)));
    observe("largest-contentful-paint", ({ startTime }) => (painted = since(startTime)));
  }

  let [shifted, most, first, last] = [0, 0, 0, 0];
  const shifts = observe("layout-shift", ({ startTime, value, hadRecentInput }) => {
    if (hadRecentInput) return;
    if (startTime - last > GAP_MS || startTime - first > WINDOW_MS) [shifted, first] = [0, startTime];
    last = startTime;
    most = Math.max(most, (shifted += value));
  });

  const waits: Record<number, number> = {}; // the longest of each interaction that was slow, or the first
  const interaction = ({ interactionId, duration }: Entry): void => {
    if (interactionId) waits[interactionId] = Math.max(waits[interactionId] ?? 0, duration);
  };
  observe("event", interaction);
  observe("first-input", interaction);

  let told = false;
  return () => {
    if (told) return;
    told = true;
    for (const [observer, seen] of observers) {
      seen(observer.takeRecords());
      observer.disconnect();
    }
    if (painted) run("LCP", painted);
    if (shifts) run("CLS", most);
    const worst = Object.values(waits).sort((one, other) => other - one);
    const count = (performance as { interactionCount?: number }).interactionCount ?? 0;
    const wait = worst[Math.min(Math.floor(count / 50), worst.length - 1)]; // one in fifty may be an exception
    if (wait) run("INP", wait);
  };
}

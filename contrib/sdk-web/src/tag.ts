/** The tag of pages: views, events, people and companies in the browser's format `usermaven`, vitals in `nanosights`. */

import { onLeave, onView } from "./page";
import { plain, text } from "./plain";
import { openQueue, type Queue } from "./queue";
import { hex } from "./random";
import { safely, warn } from "./safely";
import { kept, optedOut, optOut as keepOut, PREFIX, read, remove, write } from "./store";
import { onVitals } from "./vitals";

export interface TagOptions {
  /** Where the server is: `https://analytics.example.com`. */
  host: string;
  /** The public half of a key of the auth scheme `query-token`. */
  apiKey: string;
  /** A key of the auth scheme `project-key`; with it, web vitals are sent. */
  projectKey?: string;
}

export interface User {
  id?: string | number;
  email?: string;
  created_at?: string;
  first_name?: string;
  last_name?: string;
  custom?: Record<string, unknown>;
}

export interface Company {
  id: string | number;
  name?: string;
  created_at?: string;
  custom?: Record<string, unknown>;
}

interface Who {
  user?: { id?: unknown; email?: unknown };
  company?: { id?: unknown };
}

const WHO = `${PREFIX}who`;
let queue: Queue | undefined;

/** Who was identified, on pages before this one too: ids only. */
function who(): Who {
  try {
    return JSON.parse(read(WHO) ?? "{}") as Who;
  } catch {
    return {};
  }
}

/** The page without the rest of its query, which may hold what is nobody's business, and without its fragment. */
function address(): string {
  const campaign = [...new URLSearchParams(location.search)].filter(([name]) => name.startsWith("utm_"));
  const query = String(new URLSearchParams(campaign));
  return location.origin + location.pathname + (query && `?${query}`);
}

function referrer(): string {
  return /^[a-z]+:\/\/[^/]+/i.exec(document.referrer)?.[0] ?? "";
}

function send(name: string, attributes?: object, more: Who = {}): void {
  if (typeof window === "undefined" || optedOut()) return;
  if (!queue || !name) return warn(queue ? "an event without a name" : `init comes before ${name}`);
  const { user, company } = who();
  queue.add({
    event_id: hex(16),
    event_type: text(name, 255),
    _timestamp: Date.now(),
    src: "saastracker-web",
    url: address(),
    page_title: text(document.title, 255),
    referer: referrer(),
    user_language: navigator.language,
    user: { anonymous_id: kept("visitor", () => hex(16)), ...user, ...more.user },
    company: { ...company, ...more.company },
    event_attributes: attributes && plain(attributes),
  });
}

function sendVitals(host: string, projectKey: string): () => void {
  const vitals = openQueue({
    name: `vitals:${projectKey}`,
    url: `${host}/api/tags/insights`,
    keyed: true,
    body: (event) => event,
    most: 1,
    delay: 0,
  });
  const url = address();
  const tell = onVitals((name, value) => {
    vitals.add({
      projectKey,
      metric_type: "web_vital",
      metric_name: name,
      metric_value: Math.round(value * 1e4) / 1e4,
      metric_unit: name === "CLS" ? "score" : "ms",
      url,
      timestamp: new Date().toISOString(),
    });
  });
  return () => {
    tell();
    vitals.leave();
  };
}

/** Once on each page; views are sent from then on. No function of this module throws. */
export const init = safely(({ host, apiKey, projectKey }: TagOptions) => {
  if (typeof window === "undefined" || queue) return;
  if (!host || !apiKey) return warn("init needs host and apiKey");
  const base = host.replace(/\/+$/, "");
  queue = openQueue({
    name: `tag:${apiKey}`,
    url: `${base}/api/v1/event?token=${encodeURIComponent(apiKey)}`,
    keyed: false,
    body: (events) => `[${events}]`,
    most: 30,
    delay: 2000,
  });
  onView(() => send("pageview"));
  const leave = projectKey ? sendVitals(base, projectKey) : () => {};
  onLeave(() => {
    leave();
    queue!.leave();
  });
});

/** Something happened; a numeric `value` is summed in reports. */
export const track = safely((name: string, attributes?: Record<string, unknown>) => send(name, attributes));

/** Who is using the page, by `id` or `email`, from now on and, of this browser, before. */
export const identify = safely((user: User) => {
  const traits = plain(user);
  write(WHO, JSON.stringify({ ...who(), user: { id: traits.id, email: traits.email } }));
  send("user_identify", undefined, { user: traits });
});

/** Which company they belong to: the organization of events from now on. */
export const group = safely((company: Company) => {
  const traits = plain(company);
  write(WHO, JSON.stringify({ ...who(), company: { id: traits.id } }));
  send("group", undefined, { company: traits });
});

/** They signed out: what follows is another visitor's. */
export const reset = safely(() => {
  remove(WHO);
  remove(`${PREFIX}visitor`);
});

/** True: what waits is dropped and nothing is sent any more, on later visits too. False takes it back. */
export const optOut = safely((out: boolean) => keepOut(out));

/** Telemetry of games and apps, in the format `owlsignal`. */

import { onError, onLeave, onView } from "./page";
import { number, plain, text } from "./plain";
import { openQueue, type Queue } from "./queue";
import { hex, uuid } from "./random";
import { on, safely, warn } from "./safely";
import { sha256 } from "./sha256";
import { kept, optedOut, optOut } from "./store";

export interface Options {
  /** A key of the auth scheme `bearer`: `pk_live_…`. */
  apiKey: string;
  /** What is running, such as `1.4.0`: up to 64 characters. */
  buildVersion: string;
  /** The server's address of the format; without it, `/api/v1/events` of the page's own origin. */
  endpointUrl?: string;
  /** Send errors that nobody caught and promises that nobody awaited. */
  captureErrors?: boolean;
  /** Send a design event `Page:View` for each path that is shown, also where a program changes it. */
  capturePageViews?: boolean;
}

export interface Details {
  /** A duration, a score, an amount; of a resource negative where it is spent. */
  value?: number;
  /** Up to 64 characters. */
  dim01?: string;
  dim02?: string;
  dim03?: string;
  /** Texts, numbers, booleans and null; what lies deeper is sent as text. */
  data?: Record<string, unknown>;
}

type Type = "progression" | "design" | "resource" | "error" | "session";

let queue: Queue | undefined;
let build = "";
let player = "";
let session = "";

function send(type: Type, name: string, { value, data, ...dims }: Details = {}): void {
  const event: Record<string, unknown> = {
    build_version: build,
    session_id: session,
    player_hash: player || kept("player", () => hex(16)),
    ts: new Date().toISOString(),
    type,
    name: text(name, 100),
    value: number(value),
  };
  for (const dim of ["dim01", "dim02", "dim03"] as const) {
    if (dims[dim] != null) event[dim] = text(dims[dim], 64);
  }
  if (data && typeof data === "object") event.data = plain(data, true);
  queue!.add(event);
}

function track(type: Type, name: string, details?: Details): void {
  if (typeof window === "undefined" || optedOut()) return;
  if (!queue || !name) return warn(queue ? "an event without a name" : `Initialize comes before ${name}`);
  if (!session) {
    session = uuid();
    send("session", "Session:Start");
  }
  send(type, name, details ?? {});
}

/** No call throws, and none waits. */
export const OwlsignalClient = {
  /** Once, near the root of the program. */
  Initialize: safely((options: Options) => {
    if (typeof window === "undefined" || queue) return;
    const { apiKey, buildVersion, endpointUrl = "/api/v1/events", captureErrors, capturePageViews } = options;
    if (!apiKey || !buildVersion) return warn("Initialize needs apiKey and buildVersion");
    build = text(buildVersion, 64);
    queue = openQueue({
      name: `owlsignal:${apiKey}`,
      url: endpointUrl,
      headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
      keyed: true,
      body: (events) => `{"events":[${events}]}`,
      most: 30,
      delay: 30_000,
    });
    onLeave((ended) => {
      if (ended && session && !optedOut()) send("session", "Session:End");
      queue!.leave();
    });
    on(window, "pageshow", ({ persisted }: PageTransitionEvent) => {
      if (persisted) session = "";
    });
    if (captureErrors) onError((name, message, stack) => track("error", name, { data: { message, stack } }));
    if (capturePageViews) {
      onView(() => {
        const path = location.pathname;
        track("design", "Page:View", { dim01: path, data: { path, title: document.title } });
      });
    }
  }),

  /** A step of the way: `Start:Run`, `Complete:Tutorial`, `Fail:Boss`. */
  TrackProgression: safely((name: string, details?: Details) => track("progression", name, details)),

  /** An interesting moment: `CTA:Clicked`. */
  TrackDesign: safely((name: string, details?: Details) => track("design", name, details)),

  /** Something earned or spent: `Source:Coins`, `Sink:Coins`, with the amount as `value`. */
  TrackResource: safely((name: string, details?: Details) => track("resource", name, details)),

  /** Something that failed; `data.message`, `data.stack`, `data.scene` and `data.signature` make issues of errors. */
  TrackError: safely((name: string, details?: Details) => track("error", name, details)),

  /**
   * Events from now on are this user's. Only the SHA-256 of the id leaves the page; 64 hex digits are taken for one.
   * Null: nobody is signed in any more.
   */
  IdentifyUser: safely((userId: string | number | null) => {
    if (userId == null || userId === "") return void (player = "");
    const id = String(userId);
    player = /^[0-9a-f]{64}$/i.test(id) ? id.toLowerCase() : sha256(id);
  }),

  /** True: what waits is dropped and nothing is sent any more, on later visits too. False takes it back. */
  SetOptOut: safely((out: boolean) => {
    optOut(out);
    session = "";
  }),
};

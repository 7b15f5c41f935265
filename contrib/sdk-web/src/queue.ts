/**
 * Events on their way to the server, in batches that outlive the page.
 *
 * A batch is one text in the store, under a key that has the time it was begun and a random id, which is its
 * `Idempotency-Key` (or its events have ids): whoever sends it, and how often, the server stores it once. The tab that began a batch adds to it
 * for at most `delay`; then it is sealed and any tab of the origin may send it, as it may the batch of a tab that died.
 * A batch is removed when the server has answered that it is stored, or that it never will be.
 */

import { hex } from "./random";
import { on, warn } from "./safely";
import { keys, optedOut, optOut, PREFIX, read, remove, write } from "./store";

const BATCH_CHARACTERS = 18_000; // browsers let 64 KiB go out from a page that is left
const KEEPALIVE_CHARACTERS = 20_000; // at most three bytes each
const LEAVING_MAX = 5; // requests
const ORPHAN_MS = 60_000; // a batch this old that is not sealed was left behind
const ANSWER_MS = 30_000;
const LEASE_MS = 40_000; // for which other tabs leave the sending to this one
const RETRY_MS = 1000;
const RETRY_MAX_MS = 300_000;
const ANSWERS_KEPT_MS = 23 * 3600_000; // the server knows a key again for 24 h
const KEPT_MS = 30 * 24 * 3600_000;
const BATCHES_MAX = 500;
const CHARACTERS_MAX = 1_000_000;

/** How a kind of event is sent. */
export interface Wire {
  /** Names the queue in the store, with the key of the project: several may share an origin. */
  name: string;
  url: string;
  headers?: Record<string, string>;
  /** Its events have no ids, so a batch needs one. Without more headers a request needs no preflight. */
  keyed: boolean;
  /** A body of encoded events with commas between them. */
  body: (events: string) => string;
  most: number; // events in a batch
  delay: number; // ms that an event may wait for others
}

export type Queue = { add(event: object): void; leave(): void };

interface Batch {
  key: string;
  begun: number;
  sealed: boolean;
  sent: number; // when it was sent and no answer is known of; 0 when it was not, or failed
  events: string;
}

/** Whether two times of a clock that may be changed lie so far apart. */
const apart = (one: number, other: number, ms: number): boolean => Math.abs(one - other) > ms;

/** A queue that goes on with what earlier pages and other tabs left. */
export function openQueue(wire: Wire): Queue {  const prefix = `${PREFIX}${wire.name}:`;
  const lease = `${PREFIX}lease:${wire.name}`;
  const flying = new Set<string>();
  let key = ""; // of the batch that is added to
  let count = 0;
  let failures = 0;
  let sending = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due = 0;

  function add(event: object): void {
    if (optedOut()) return;
    const encoded = JSON.stringify(event);
    let batch = open();
    if (batch && batch.events.length + encoded.length > BATCH_CHARACTERS) {
      seal();
      batch = undefined;
    }
    if (!batch) batch = begin();
    write(batch.key, `|${batch.events ? `${batch.events},` : ""}${encoded}`);
    if (++count >= wire.most) {
      seal();
      void send();
    } else {
      wake(wire.delay);
    }
  }

  /** Send what there is room for; the requests go on when the page does not. */
  function leave(): void {
    seal();
    if (optedOut()) return;
    let left = KEEPALIVE_CHARACTERS;
    const newest = batches().filter((batch) => batch.sealed && !batch.sent && !flying.has(batch.key));
    for (const batch of newest.reverse().slice(0, LEAVING_MAX)) {
      left -= batch.events.length;
      if (left > 0) void deliver(batch);
    }
  }

  function begin(): Batch {
    const waiting = batches();
    let size = waiting.reduce((sum, batch) => sum + batch.events.length, 0);
    while (waiting.length >= BATCHES_MAX || size > CHARACTERS_MAX) {
      const oldest = waiting.shift()!;
      size -= oldest.events.length;
      remove(oldest.key);
      warn("too many events wait; the oldest are dropped");
    }
    key = `${prefix}${String(Date.now()).padStart(13, "0")}:${hex(16)}`;
    count = 0;
    return { key, begun: Date.now(), sealed: false, sent: 0, events: "" };
  }

  /** The batch to add to, unless it is too old for that, or another tab has sent it or was told to drop it. */
  function open(): Batch | undefined {
    const batch = key ? parsed(key) : undefined;
    if (!batch || batch.sealed) return;
    if (!apart(batch.begun, Date.now(), wire.delay)) return batch;
    seal();
    return;
  }

  function seal(): void {
    if (key) mark(key, 0);
    key = "";
  }

  function batches(): Batch[] {
    return keys(prefix).flatMap((key) => parsed(key) ?? []);
  }

  function wake(ms: number): void {
    const at = Date.now() + ms;
    if (timer !== undefined && at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      timer = undefined;
      const batch = open();
      if (batch) wake(batch.begun + wire.delay + 1 - Date.now());
      void send();
    }, ms);
  }

  /** Send what is sealed, one batch after the other, until one fails or another tab is at it. */
  async function send(): Promise<void> {
    if (sending) return;
    sending = true;
    try {
      for (;;) {
        const [held, batch] = [Number(read(lease)) - Date.now(), next()];
        if (!batch) break;
        if (held > 0 && held <= RETRY_MAX_MS) {
          wake(held + Math.random() * RETRY_MS);
          break;
        }
        write(lease, String(Date.now() + LEASE_MS));
        if (!(await deliver(batch))) break;
        remove(lease);
      }
    } catch (error) {
      warn(error);
    }
    sending = false;
  }

  /** A batch to send: the oldest, but the others have their turn while it fails. */
  function next(): Batch | undefined {
    if (optedOut()) return;
    const now = Date.now();
    const ready = batches().filter((batch) => {
      if (batch.key === key || flying.has(batch.key)) return false;
      if (wire.keyed && batch.sent && apart(batch.sent, now, ANSWERS_KEPT_MS)) {
        remove(batch.key); // most likely it is stored, and now would be a second time
        return false;
      }
      if (batch.sealed || apart(batch.begun, now, ORPHAN_MS)) return true;
      wake(ORPHAN_MS);
      return false;
    });
    return ready[failures % ready.length];
  }

  /** Whether the batch is done with. */
  async function deliver({ key, events }: Batch): Promise<boolean> {
    const stop = new AbortController();
    const limit = setTimeout(() => stop.abort(), ANSWER_MS);
    let [status, wait] = [0, 0];
    flying.add(key);
    mark(key, Date.now());
    try {
      const body = wire.body(events);
      const answer = await fetch(wire.url, {
        method: "POST",
        headers: { ...wire.headers, ...(wire.keyed && { "Idempotency-Key": key.slice(-32) }) },
        body,
        credentials: "omit",
        keepalive: body.length < KEEPALIVE_CHARACTERS,
        signal: stop.signal,
      });
      status = answer.status;
      wait = Number(answer.headers.get("Retry-After")) * 1000 || 0;
      const said = await answer.text();
      if (!answer.ok || /"rejected":(\[|[1-9])/.test(said)) warn(status, said);
    } catch {
      // no answer, or none that can be read
    }
    clearTimeout(limit);
    flying.delete(key);
    if (status && status < 500 && status !== 408 && status !== 429) {
      failures = 0;
      remove(key);
      return true;
    }
    mark(key, 0);
    const backOff = RETRY_MS * 2 ** failures++ * (0.5 + Math.random() / 2);
    wait = Math.min(Math.max(wait, backOff), RETRY_MAX_MS);
    if (!optedOut()) write(lease, String(Date.now() + wait));
    wake(wait + 10);
    return false;
  }

  on(window, "pagehide", () => {
    if (sending) remove(lease); // the next page need not wait
  });
  on(window, "online", () => {
    remove(lease);
    wake(0);
  });
  on(window, "storage", () => {
    if (optedOut()) optOut(true); // in another tab, of which this one has heard just now
  });
  for (const key of keys(PREFIX)) {
    const begun = Number(key.split(":").slice(-2)[0]);
    if (begun && apart(begun, Date.now(), KEPT_MS)) remove(key); // of a key that is no longer used, maybe
  }
  wake(0);
  return { add, leave };
}

function parsed(key: string): Batch | undefined {
  const text = read(key);
  if (text === null) return;
  const bar = text.indexOf("|");
  const sent = text.slice(0, bar);
  return { key, begun: Number(key.slice(-46, -33)), sealed: sent !== "", sent: Number(sent), events: text.slice(bar + 1) };
}

/** Seal a batch that is still there: sent at a time, or 0. */
function mark(key: string, sent: number): void {
  const batch = parsed(key);
  if (batch) write(key, `${sent}|${batch.events}`);
}

/** Whatever a page hands in, as plain values that the server takes. */

const CHARACTERS = 10_000; // of one event, and one for each value: the server keeps 32 KiB of UTF-8
const DEPTH = 4;
const SAFE = 9e18; // the server's integers have 64 bits

export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

/** At most `limit` characters, without what JSON or databases refuse: 0, and halves of pairs. */
export function text(value: unknown, limit: number): string {
  return String(value).slice(0, limit).replace(/[\0\ud800-\udfff]/gu, "");
}

/** A number that the server takes, or nothing. */
export function number(value: unknown): number | undefined {
  return typeof value === "number" && Math.abs(value) < SAFE ? value : undefined;
}

/** What is plain of an object; `flat`, what lies deeper becomes text. It ends in spite of cycles and huge graphs. */
export function plain(value: object, flat = false): { [key: string]: Plain } {
  let left = CHARACTERS;

  function cut(value: unknown): string {
    const kept = text(value, left);
    left -= kept.length;
    return kept;
  }

  function copy(value: unknown, depth: number): Plain | undefined {
    if (--left < 0) return;
    if (typeof value === "number") return number(value) ?? (isFinite(value) ? String(value) : null);
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "string" || typeof value === "bigint") return cut(value);
    if (typeof value !== "object") return;
    if (value instanceof Date) return isNaN(+value) ? null : value.toISOString();
    if (value instanceof Error) return cut(value);
    if (depth === DEPTH) return "…";
    if (Array.isArray(value)) return value.slice(0, 1000).map((each) => copy(each, depth + 1) ?? null);
    return members(value, depth);
  }

  function members(value: object, depth: number): { [key: string]: Plain } {
    const found: { [key: string]: Plain } = {};
    for (const key of Object.keys(value).slice(0, 200)) {
      if (left < 0) break;
      try {
        const name = cut(key);
        const kept = copy((value as Record<string, unknown>)[key], depth + 1);
        if (kept === undefined) continue;
        const deep = flat && !depth && kept !== null && typeof kept === "object";
        found[name] = deep ? JSON.stringify(kept) : kept;
      } catch {
        // a getter that throws, a proxy that was revoked
      }
    }
    return found;
  }

  return members(value, 0);
}

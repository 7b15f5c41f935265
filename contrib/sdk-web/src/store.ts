/** Texts that outlive a page: in localStorage, and where that is forbidden or full as long as the page lives. */

export const PREFIX = "saastracker:";
const OFF = `${PREFIX}off`;
const memory = new Map<string, string>();

function storage(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined; // in a sandboxed frame, or as the visitor's settings say
  }
}

export function read(key: string): string | null {
  return memory.get(key) ?? storage()?.getItem(key) ?? null;
}

export function write(key: string, text: string): void {
  try {
    storage()!.setItem(key, text);
    memory.delete(key);
  } catch {
    memory.set(key, text);
  }
}

export function remove(key: string): void {
  memory.delete(key);
  storage()?.removeItem(key);
}

/** The keys that begin so, sorted. */
export function keys(prefix: string): string[] {
  const found = new Set([...memory.keys(), ...Object.keys(storage() ?? {})]);
  return [...found].filter((key) => key.startsWith(prefix)).sort();
}

/** What is kept under `key`, made at first. */
export function kept(key: string, make: () => string): string {
  let found = read(PREFIX + key);
  if (!found) write(PREFIX + key, (found = make()));
  return found;
}

/** Whether the visitor wants nothing sent. */
export function optedOut(): boolean {
  return read(OFF) !== null;
}

/** From now on nothing is sent, and nothing is kept but this; or things are sent again. */
export function optOut(out: boolean): void {
  if (out) {
    keys(PREFIX).forEach(remove);
    write(OFF, "1");
  } else {
    remove(OFF);
  }
}

/** Texts that outlive a page: in localStorage, and where that is forbidden or full as long as the page lives. */

export const PREFIX = "saastracker:";
const OFF = `${PREFIX}off`;
const memory = new Map<string, string>();

/** Storage fails in a sandboxed frame, as the visitor's settings say, when it is full, and in a broken profile. */
function stored<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(window.localStorage);
  } catch {
    return undefined;
  }
}

export function read(key: string): string | null {
  return memory.get(key) ?? stored((storage) => storage.getItem(key)) ?? null;
}

export function write(key: string, text: string): void {
  memory.set(key, text);
  stored((storage) => {
    storage.setItem(key, text);
    memory.delete(key);
  });
}

export function remove(key: string): void {
  memory.delete(key);
  stored((storage) => storage.removeItem(key));
}

/** The keys that begin so, sorted. */
export function keys(prefix: string): string[] {
  const found = new Set([...memory.keys(), ...(stored(Object.keys) ?? [])]);
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

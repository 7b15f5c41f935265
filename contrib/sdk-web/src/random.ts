/** Random ids, on pages without https too: `crypto.randomUUID` is not to be had there. */

/** `count` random bytes as lower-case hex. */
export function hex(count: number): string {
  const bytes = new Uint8Array(count);
  try {
    crypto.getRandomValues(bytes);
  } catch {
    for (let place = 0; place < count; place++) bytes[place] = Math.random() * 256;
  }
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A random UUID: version 4, variant 8. */
export function uuid(): string {
  return hex(16).replace(/(.{8})(.{4}).(.{3}).(.{3})/, "$1-$2-4$3-8$4-");
}

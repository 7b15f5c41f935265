/**
 * SHA-256, at once and everywhere: `crypto.subtle` answers later, which is too late on a page that is left, and
 * is missing on pages without https, where the same person has to get the same hash.
 */

/** The first 32 bits of the fractional part of a root of a prime. */
const fraction = (root: number): number => ((root - Math.floor(root)) * 2 ** 32) | 0;
const primes: number[] = [];
for (let number = 2; primes.length < 64; number++) {
  if (primes.every((prime) => number % prime)) primes.push(number);
}
const FIRST = primes.slice(0, 8).map((prime) => fraction(prime ** (1 / 2)));
const ROUNDS = primes.map((prime) => fraction(prime ** (1 / 3)));

const turn = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The digest of a text's UTF-8 as 64 hex digits. */
export function sha256(text: string): string {
  const sent = new TextEncoder().encode(text);
  const bytes = new Uint8Array((((sent.length + 8) >> 6) + 1) << 6);
  bytes.set(sent);
  bytes[sent.length] = 0x80;
  const view = new DataView(bytes.buffer);
  view.setUint32(bytes.length - 8, sent.length / 2 ** 29);
  view.setUint32(bytes.length - 4, sent.length << 3);

  const state = [...FIRST];
  const words = new Int32Array(64);
  for (let block = 0; block < bytes.length; block += 64) {
    let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
    for (let round = 0; round < 64; round++) {
      if (round < 16) {
        words[round] = view.getInt32(block + round * 4);
      } else {
        const [early, late] = [words[round - 15]!, words[round - 2]!];
        const small = turn(early, 7) ^ turn(early, 18) ^ (early >>> 3);
        const large = turn(late, 17) ^ turn(late, 19) ^ (late >>> 10);
        words[round] = words[round - 16]! + small + words[round - 7]! + large;
      }
      const chosen = (e & f) ^ (~e & g);
      const first = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + chosen + ROUNDS[round]! + words[round]!;
      const second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, place) => (state[place] = (state[place]! + word) | 0));
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

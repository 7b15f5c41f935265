// What needs no browser. How events are sent is tested in Chromium, by tests/sdk_web of the repository.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { OwlsignalClient } from "../src/index";
import { plain, text } from "../src/plain";
import { hex, uuid } from "../src/random";
import { sha256 } from "../src/sha256";
import { init, track } from "../src/tag";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/;

test("hashes are those of Node, at every length around a block, in every script", () => {
  const texts = ["user-abc", "żółć", "名前", "🦉".repeat(40), "\ud800", "x".repeat(100_000)];
  for (let length = 0; length < 200; length++) texts.push("a".repeat(length));
  for (const text of texts) assert.equal(sha256(text), createHash("sha256").update(text).digest("hex"));
});

test("ids differ, with and without crypto", () => {
  const ids = new Set(Array.from({ length: 1000 }, uuid));
  const { crypto } = globalThis;
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  try {
    for (let made = 0; made < 1000; made++) ids.add(uuid());
    assert.match(hex(16), /^[0-9a-f]{32}$/);
  } finally {
    Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });
  }
  assert.equal(ids.size, 2000);
  for (const id of ids) assert.match(id, UUID);
});

test("what is plain stays as it is", () => {
  const given = { text: "a", number: -1.5, yes: true, nothing: null, list: [1, "b", { c: [] }], deep: { deep: { deep: 1 } } };
  assert.deepEqual(plain(given), given);
});

test("what the server would refuse becomes what it takes", () => {
  const given = { nul: "a\0b", "k\0": 1, nan: NaN, infinite: Infinity, huge: 2 ** 64, big: 10n ** 30n, when: new Date(0) };
  assert.deepEqual(plain(given), {
    nul: "ab", k: 1, nan: null, infinite: null, huge: "18446744073709552000", big: `1${"0".repeat(30)}`,
    when: "1970-01-01T00:00:00.000Z",
  });
  assert.equal(text("a\0bc", 3), "ab");
  assert.equal(text("🦉🦉", 3), "🦉");
  assert.equal(text("\ud83e!\udd89", 9), "!");
});

test("what means nothing as JSON is left out", () => {
  assert.deepEqual(plain({ a: undefined, b: () => 1, c: Symbol("c"), d: [undefined] }), { d: [null] });
});

test("cycles end, getters that throw and revoked proxies are skipped", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const given: Record<string, unknown> = { proxy, error: new TypeError("no"), ok: 1 };
  given.self = given;
  Object.defineProperty(given, "trap", { enumerable: true, get: () => assert.fail("looked") });
  const found = plain(given);
  assert.equal(found.ok, 1);
  assert.equal(found.error, "TypeError: no");
  assert.ok(!("trap" in found));
  assert.ok(JSON.stringify(found).length < 500);
});

test("a huge graph is cut, and soon", () => {
  const node = (depth: number): object => (depth ? Object.fromEntries([..."abcdefghij"].map((k) => [k, node(depth - 1)])) : {});
  const given = { tree: node(5), list: new Array(1e6).fill("x"), long: "y".repeat(1e6) };
  const start = performance.now();
  assert.ok(JSON.stringify(plain(given)).length < 40_000);
  assert.ok(performance.now() - start < 500);
});

test("flat data has no objects, but what they say", () => {
  assert.deepEqual(plain({ a: { b: [1, { c: 2 }] }, d: 1 }, true), { a: '{"b":[1,{"c":2}]}', d: 1 });
});

test("where there is no page, as in rendering on a server, calls do nothing", () => {
  OwlsignalClient.Initialize({ apiKey: "pk_live_x", buildVersion: "1" });
  OwlsignalClient.TrackDesign("CTA:Clicked");
  OwlsignalClient.IdentifyUser("ada");
  init({ host: "https://analytics.example.com", apiKey: "x" });
  track("plan_chosen");
});

// Bundles: `node build.mjs` what is published, `node build.mjs test` the tests as Node runs them.
import { build } from "esbuild";

const browsers = { bundle: true, minify: true, target: "es2020", legalComments: "none" };

if (process.argv[2] === "test") {
  await build({
    entryPoints: ["test/*.test.ts"],
    outdir: "build",
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
  });
} else {
  const modules = { index: "src/index.ts", tag: "src/tag.ts" };
  await build({ ...browsers, entryPoints: modules, outdir: "dist", format: "esm" });
  const scripts = { "owlsignal.global": "src/owlsignal.global.ts", "tag.global": "src/tag.global.ts" };
  await build({ ...browsers, entryPoints: scripts, outdir: "dist", format: "iife" });
}

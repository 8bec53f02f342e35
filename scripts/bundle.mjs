// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Makes dist/purser.cjs, the whole program in one file, of the modules that tsc has compiled, and
// dist/purser.cjs.cache, V8's compiled form of the functions that a start and the first requests run.

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const DIST = fileURLToPath(new URL("../dist/", import.meta.url));

/** Libraries that few processes need; these are loaded from node_modules where they are used. */
const EXTERNAL = [
  "@grpc/grpc-js",
  "@opentelemetry/otlp-transformer",
  "@peculiar/x509",
  "@platformatic/kafka",
  "google-auth-library",
  "ioredis",
  "kafkajs",
  "reflect-metadata",
  "undici",
];

/** `import(` of one of these, or of a computed name. */
const IMPORT_AT_RUN_TIME = new RegExp(`\\bimport\\((?=[^"']|["'](?:${EXTERNAL.join("|")})["'])`, "g");

/**
 * Each module of Purser keeps the URL of its own file: modules find files relative to it. An import of a computed name, as
 * of an extension, or of an external library is done by the module that loads the bundle: V8 loses the import callback of a
 * script with a code cache.
 */
const asModules = {
  name: "as-modules",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const file = JSON.stringify(`../${relative(DIST, path)}`);
      const url = `require("node:url").pathToFileURL(require("node:path").resolve(__filename, ${file})).href`;
      const contents = text.replaceAll("import.meta.url", url).replace(IMPORT_AT_RUN_TIME, "importModule(");
      return { contents, resolveDir: dirname(path) };
    });
  },
};

/** Koa's tables of media types, 15 ms and 3 MB of a start, are made when a control surface first needs one. */
const lazyMediaTypes = {
  name: "lazy-media-types",
  setup({ onLoad, onResolve, resolve }) {
    const namespace = "lazy";
    onResolve({ filter: /^mime-types$/ }, async (args) => {
      if (args.namespace === namespace) return undefined;
      const { resolveDir, kind } = args;
      const { path } = await resolve(args.path, { resolveDir, kind, namespace });
      return { path: relative(DIST, path), namespace };
    });
    onLoad({ filter: /./, namespace }, ({ path }) => {
      const load = `require(${JSON.stringify(join(DIST, path))})`;
      const contents = ["contentType", "lookup"].map(
        (name) => `exports.${name} = (text) => ${load}.${name}(text);`,
      );
      return { contents: contents.join("\n"), resolveDir: DIST };
    });
  },
};

/**
 * Koa's libraries warn of deprecated calls by depd, which asks V8 for the lines of its callers when it is loaded. In a bundle V8
 * counts the lines of the whole program for that: 10 ms and 1.3 MB of a start. The bundle makes no deprecated call.
 */
const noDeprecations = {
  name: "no-deprecations",
  setup({ onLoad, onResolve }) {
    const namespace = "no-deprecations";
    onResolve({ filter: /^depd$/ }, ({ path }) => ({ path, namespace }));
    const contents = `const deprecate = () => undefined;
module.exports = () => Object.assign(deprecate, { function: (called) => called, property: deprecate });`;
    onLoad({ filter: /./, namespace }, () => ({ contents }));
  },
};

rmSync(`${DIST}purser.cjs.cache`, { force: true });
await build({
  entryPoints: [`${DIST}cli/main.js`],
  outfile: `${DIST}purser.cjs`,
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  keepNames: false,
  legalComments: "none",
  // cli/start/bundle.ts calls this function. A wrapper that is added at the start would copy the text.
  banner: { js: "(function (module, exports, require, importModule, __filename) {" },
  footer: { js: "})" },
  sourcemap: "external",
  external: EXTERNAL,
  plugins: [asModules, lazyMediaTypes, noDeprecations],
  logLevel: "warning",
});

// esbuild leaves other characters than ASCII in regular expressions and comments alone, where an escape means the
// same. A text of ASCII alone takes one byte for each character in memory, and is read without decoding.
const text = readFileSync(`${DIST}purser.cjs`, "utf8");
const ascii = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
writeFileSync(`${DIST}purser.cjs`, ascii);

// The map's lines alone, for stack traces: cli/start/module-lines.ts reads them.
const map = JSON.parse(readFileSync(`${DIST}purser.cjs.map`, "utf8"));
rmSync(`${DIST}purser.cjs.map`);
const lineMap = new SourceMap(map);
const sources = [];
const runs = [];
let next;
const lineCount = ascii.split("\n").length;
for (let line = 1; line <= lineCount; line++) {
  const entry = lineMap.findEntry(line - 1, 0xffff);
  if (entry.originalSource === undefined || entry.generatedLine !== line - 1) continue;
  const source = sources.indexOf(entry.originalSource, Math.max(0, sources.length - 1));
  const index = source < 0 ? sources.push(entry.originalSource) - 1 : source;
  const sourceLine = entry.originalLine + 1;
  if (next?.index !== index || next.line !== line || next.sourceLine !== sourceLine)
    runs.push(line, index, sourceLine);
  next = { index, line: line + 1, sourceLine: sourceLine + 1 };
}
writeFileSync(`${DIST}purser.cjs.lines`, JSON.stringify({ sources, runs }));

const { status } = spawnSync(process.execPath, [fileURLToPath(new URL("code-cache.mjs", import.meta.url))], {
  stdio: ["ignore", "ignore", "inherit"],
});
// Without the cache, Purser starts slower and works the same.
if (status !== 0) process.stderr.write("bundle: no code cache was made\n");

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Makes lib/, the code of the npm package, of the modules that tsc has compiled: the doors of package.json and the command as
// ES modules that share their code, and the types of the doors. dist/ has every module, tests and benches too, and is not published.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "dist");
const LIB = join(ROOT, "lib");

const DOORS = ["plugins/sdk/index", "plugins/sdk/testing/index", "expressions/index"];
/** The command, and the modules that it starts in threads. */
const PROGRAMS = ["cli/purser", "cli/compose/threads/thread-main"];

/** Modules find files relative to their own place, which is a chunk in lib/: each keeps the URL that it would have unbundled. */
const ownPlaces = {
  name: "own-places",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      if (!text.includes("import.meta.url")) return undefined;
      const place = JSON.stringify(relative(DIST, path).replaceAll("\\", "/"));
      const folder = 'import.meta.url.slice(0, import.meta.url.lastIndexOf("/lib/") + 5)';
      return {
        contents: text.replaceAll("import.meta.url", `(${folder} + ${place})`),
        resolveDir: dirname(path),
      };
    });
  },
};

rmSync(LIB, { recursive: true, force: true });
await build({
  entryPoints: [...DOORS, ...PROGRAMS].map((name) => join(DIST, `${name}.js`)),
  outdir: LIB,
  outbase: DIST,
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  chunkNames: "chunks/[name]-[hash]",
  // Names of functions stay, for stack traces; with the map beside it, Node shows places in the sources.
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: true,
  keepNames: false,
  legalComments: "none",
  sourcemap: "linked",
  sourcesContent: false,
  plugins: [ownPlaces],
  logLevel: "warning",
});

const copied = new Set();
for (const door of DOORS) copyTypes(join(DIST, `${door}.d.ts`));

/** Copies a declaration file and those that it imports. Compilers before TypeScript 5.7 do not resolve the `.ts` in their imports. */
function copyTypes(file) {
  if (copied.has(file)) return;
  copied.add(file);
  const text = readFileSync(file, "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n");
  const target = join(LIB, relative(DIST, file));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text.replace(/(["'])(\.{1,2}\/[^"']+)\.ts\1/g, "$1$2.js$1"));
  for (const [, , path] of text.matchAll(/(["'])(\.{1,2}\/[^"']+)\.ts\1/g))
    copyTypes(`${resolve(dirname(file), path)}.d.ts`);
}

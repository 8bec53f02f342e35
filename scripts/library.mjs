// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Makes lib/, the code of the npm package, of the modules that tsc has compiled: the doors of package.json and the command as
// ES modules that share their code, and the types of the doors. dist/ has every module, tests and benches too, and is not published.

import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import { dts } from "rolldown-plugin-dts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "dist");
const LIB = join(ROOT, "lib");

const DOORS = ["plugins/sdk/index", "plugins/sdk/testing/index", "expressions/index"];
/** The command, and the modules that it starts in threads. */
const PROGRAMS = ["cli/purser", "cli/compose/threads/thread-main"];

/** Packages and Node's own modules. */
const EXTERNAL = /^[^./]/;

/**
 * Modules whose descriptions of fields are left out: only schemas/ and docs/ have these, and they are generated from the
 * sources.
 */
const DESCRIBED = /[\\/](core[\\/]documents[\\/](kinds[\\/].*|envelope)|adapters[\\/].*[\\/]config)\.js$/;
const TEXT = String.raw`(?:"(?:[^"\\\n]|\\.)*"|\`[^\`]*\`)`;
const DESCRIPTION = new RegExp(String.raw`\bdescription:\s*${TEXT}(?:\s*\+\s*${TEXT})*\s*(?:,|(?=\}))`, "g");

/** Loads modules with the maps of tsc, as they run in lib/. No change moves a line, so that the maps hold. */
const compiled = {
  name: "compiled",
  load(path) {
    if (!path.startsWith(DIST) || !path.endsWith(".js")) return undefined;
    let code = readFileSync(path, "utf8");
    if (DESCRIBED.test(path)) code = code.replace(DESCRIPTION, (found) => found.replaceAll(/[^\n]/g, ""));
    // Modules find files relative to their own place, which is a chunk in lib/: each keeps the URL that it would have unbundled.
    const place = JSON.stringify(relative(DIST, path).replaceAll("\\", "/"));
    const folder = 'import.meta.url.slice(0, import.meta.url.lastIndexOf("/lib/") + 5)';
    code = code.replaceAll("import.meta.url", `(${folder} + ${place})`);
    return { code, map: JSON.parse(readFileSync(`${path}.map`, "utf8")) };
  },
};

rmSync(LIB, { recursive: true, force: true });
await build({
  input: entries([...DOORS, ...PROGRAMS], "js"),
  external: EXTERNAL,
  platform: "node",
  transform: { target: "node20" },
  plugins: [compiled],
  output: {
    dir: LIB,
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    // With the map beside a chunk, Node shows names and places in the sources.
    minify: true,
    comments: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
  },
});
await build({
  input: entries(DOORS, "d.ts"),
  external: EXTERNAL,
  plugins: [dts({ dtsInput: true, tsconfig: false, sourcemap: false })],
  output: { dir: LIB, chunkFileNames: "types/[name]-[hash].d.ts" },
});

function entries(names, extension) {
  return Object.fromEntries(names.map((name) => [name, join(DIST, `${name}.${extension}`)]));
}

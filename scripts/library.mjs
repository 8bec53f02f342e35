// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Makes lib/, the code of the npm package, of the modules that tsc has compiled: the doors of package.json and the command as
// ES modules that share their code, and the types of the doors. dist/ has every module, tests and benches too, and is not published.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import { dts } from "rolldown-plugin-dts";
import { withoutTexts } from "./library-texts.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "dist");
const LIB = join(ROOT, "lib");

const DOORS = ["plugins/sdk/index", "plugins/sdk/testing/index", "expressions/index"];
/** The command, and the modules that it starts in threads. */
const PROGRAMS = ["cli/purser", "cli/compose/threads/thread-main"];

/**
 * Packages of many small files, each of which costs a start some 0.4 ms: typebox has 680, @opentelemetry/api 100. lib/ has the
 * parts of these that Purser uses; every other package, and each of Node's own modules, is loaded from its own place.
 */
const JOINED = /^(?:typebox|@opentelemetry\/api)(?:\/|$)/;
const isExternal = (name) => /^[^./]/.test(name) && !isAbsolute(name) && !JOINED.test(name);

/** Loads the modules of dist/ as they run in lib/. */
const compiled = {
  name: "compiled",
  load(path) {
    if (!path.startsWith(DIST) || !path.endsWith(".js")) return undefined;
    const place = relative(DIST, path).replaceAll("\\", "/");
    let code = withoutTexts(place, readFileSync(path, "utf8"), (text) => this.parse(text));
    // A default export of typebox is an object of all its parts. A namespace lets rolldown bind each use to its function, and
    // leave out the parts that nothing uses.
    code = code.replace(
      /^import (Type|Value)(?:, \{\})? from "(typebox[^"]*)"/gm,
      'import * as $1 from "$2"',
    );
    // Modules find files relative to their own place, which is a chunk in lib/: each keeps the URL that it would have unbundled.
    const folder = 'import.meta.url.slice(0, import.meta.url.lastIndexOf("/lib/") + 5)';
    code = code.replaceAll("import.meta.url", `(${folder} + ${JSON.stringify(place)})`);
    // With tsc's maps, stack traces name the sources. No change above moves a line, so that the maps hold.
    return { code, map: JSON.parse(readFileSync(`${path}.map`, "utf8")) };
  },
};

rmSync(LIB, { recursive: true, force: true });
await build({
  input: entries([...DOORS, ...PROGRAMS], "js"),
  external: isExternal,
  platform: "node",
  transform: { target: "node20" },
  plugins: [compiled],
  output: {
    dir: LIB,
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    // With the map beside a chunk, Node shows names and places in the sources.
    minify: true,
    comments: false,
    sourcemap: true,
    sourcemapExcludeSources: true,
    // The kernel is one chunk: nearly every other chunk needs parts of it, and would import ten small ones.
    codeSplitting: { groups: [{ name: "kernel", test: /[\\/]dist[\\/]kernel[\\/]/ }] },
  },
});
await build({
  input: entries(DOORS, "d.ts"),
  external: /^[^./]/,
  plugins: [dts({ dtsInput: true, tsconfig: false, sourcemap: false })],
  output: { dir: LIB, chunkFileNames: "types/[name].d.ts" },
});

const license = readFileSync(join(ROOT, "node_modules/typebox/license"), "utf8").trim();
writeFileSync(
  join(LIB, "THIRD-PARTY.txt"),
  `lib/ includes parts of these packages.

typebox
-------
${license}

@opentelemetry/api
------------------
Copyright The OpenTelemetry Authors. Apache License 2.0, whose text is in ../LICENSE.
`,
);

function entries(names, extension) {
  return Object.fromEntries(names.map((name) => [name, join(DIST, `${name}.${extension}`)]));
}

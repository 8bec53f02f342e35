// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";
import type { main } from "../main.ts";
import { showModuleLines } from "./module-lines.ts";
import { setStartFlags } from "./v8-flags.ts";

/** The whole program in one file, and V8's compiled form of it. */
const BUNDLE = "purser.cjs";
const CODE_CACHE = "purser.cjs.cache";

interface Bundle {
  readonly main: typeof main;
}

/** Compiles and evaluates the bundle in the folder `dist`, which ends with a slash. */
export function loadBundle(dist: string, { isService }: { readonly isService: boolean }): Bundle {
  showModuleLines(dist + BUNDLE, `${dist}${BUNDLE}.lines`);
  const script = compileBundle(dist, readCodeCache(dist));
  if (isService) setStartFlags();
  return evaluate(script, dist);
}

/**
 * Compiles the bundle.
 *
 * V8 refuses a code cache of another version of Node or of other V8 flags. The bundle is then compiled from its
 * text, which takes some 0.2 s longer.
 */
export function compileBundle(dist: string, cachedData?: Buffer): Script {
  // The bundle is ASCII (scripts/bundle.mjs), so that Latin-1 needs no decoding and half of UTF-16's memory.
  const text = readFileSync(dist + BUNDLE, "latin1");
  return new Script(text, {
    filename: dist + BUNDLE,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
}

export function evaluate(script: Script, dist: string): Bundle {
  const file = dist + BUNDLE;
  const module = { exports: {} };
  const run = script.runInThisContext() as (...scope: readonly unknown[]) => void;
  run(module, module.exports, createRequire(file), (name: string) => import(name) as unknown, file);
  return module.exports as Bundle;
}

function readCodeCache(dist: string): Buffer | undefined {
  try {
    return readFileSync(dist + CODE_CACHE);
  } catch {
    return undefined;
  }
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CheckAnswer,
  definePlugin,
  durationMs,
  type ListEntryInstance,
  OK,
  PurserError,
} from "../sdk/index.ts";
import { CONFIG, type Config } from "./config.ts";
import { compileEntries, faultOfValue, type Matcher } from "./entries.ts";
import { watchEntries } from "./entries-file.ts";

const DEFAULT_VALID_MS = 10_000;

/**
 * With a file: the longest time that a proxy's cached answer may be out of date. It is about the delay that
 * people expect of polled files, and still saves thousands of checks on a busy mesh.
 */
const DEFAULT_VALID_WITH_FILE_MS = 5_000;

/** Refuses values that are not on an allow list, or that are on a deny list. */
export const list = definePlugin({
  name: "list",
  description: "Allows or refuses by a list of values, addresses or patterns, inline or from a watched file.",
  templates: ["listentry"],
  config: CONFIG,
  check({ type, entries }) {
    const compiled = compileEntries(type, entries);
    return compiled.ok
      ? []
      : compiled.faults.map(({ index, message }) => ({ path: ["entries", index], message }));
  },
  build(context) {
    const { config, files, logger } = context;
    const inline = compileInline(config);
    const watch =
      config.file === undefined
        ? undefined
        : watchEntries({ type: config.type, path: config.file, files, logger });
    const answer = createAnswer(config, inline, () => watch?.matcher);
    return {
      apply(hooks) {
        hooks.check.for("listentry").tap("list", (instance) => answer(instance as ListEntryInstance));
      },
      close() {
        watch?.close();
      },
    };
  },
});

/** Compiles the entries of a configuration that `check` has accepted. */
function compileInline({ type, entries }: Config): Matcher {
  const compiled = compileEntries(type, entries);
  if (compiled.ok) return compiled.matcher;
  throw new PurserError("PURSER_HANDLER_BUILD", compiled.faults.map(({ message }) => message).join("; "));
}

function createAnswer(config: Config, inline: Matcher, fromFile: () => Matcher | undefined) {
  const validity = {
    validDurationMs:
      config.validDuration === undefined
        ? config.file === undefined
          ? DEFAULT_VALID_MS
          : DEFAULT_VALID_WITH_FILE_MS
        : durationMs(config.validDuration),
    validUseCount: config.validUseCount,
  };
  const allowed: CheckAnswer = { status: OK, ...validity };
  const refused: CheckAnswer = { status: config.status, ...validity };
  // Not cached: as soon as the file is read, the answer may be different.
  const untilRead =
    config.onUnavailable === "allow"
      ? { status: OK, validDurationMs: 0 }
      : { status: config.status, validDurationMs: 0 };
  const listed = config.mode === "allow" ? allowed : refused;
  const unlisted = config.mode === "allow" ? refused : allowed;

  return ({ value }: ListEntryInstance): CheckAnswer => {
    // An absent value is on no list.
    if (value === undefined) return unlisted;
    const fault = faultOfValue(config.type, value);
    if (fault !== undefined) return { status: { code: "INVALID_ARGUMENT", message: fault }, ...validity };
    if (inline.has(value)) return listed;
    if (config.file === undefined) return unlisted;
    const matcher = fromFile();
    if (matcher === undefined) return untilRead;
    return matcher.has(value) ? listed : unlisted;
  };
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CheckAnswer,
  definePlugin,
  durationMs,
  type ExtensionContext,
  type ListEntryInstance,
  OK,
  PurserError,
} from "../sdk/index.ts";
import { CONFIG, type Config } from "./config.ts";
import { faultsOf } from "./config-faults.ts";
import { compileEntries, faultOfValue, type Matcher } from "./entries.ts";
import { watchEntries } from "./entries-file.ts";
import { UrlEntries, type UrlEntriesOptions } from "./entries-url.ts";

const DEFAULT_VALID_MS = 10_000;

/**
 * With a file or URL: the longest time that a proxy's cached answer may be out of date. It is about the delay that
 * people expect of polled files, and still saves thousands of checks on a busy mesh.
 */
const DEFAULT_VALID_WITH_SOURCE_MS = 5_000;

/** Entries of a URL: as many as are found without trying each, and patterns, which are tried one after the other. */
const DEFAULT_MAX_ENTRIES = 100_000;
const DEFAULT_MAX_PATTERNS = 1_000;

/** Refuses values that are not on an allow list, or that are on a deny list. */
export const list = definePlugin({
  name: "list",
  description:
    "Allows or refuses by a list of values, addresses or patterns, inline, from a watched file or from a URL.",
  templates: ["listentry"],
  config: CONFIG,
  check: faultsOf,
  build(context) {
    const { config, files, logger } = context;
    const inline = compileInline(config);
    const watch =
      config.file === undefined
        ? undefined
        : watchEntries({ type: config.type, path: config.file, files, logger });
    const loaded = config.url === undefined ? undefined : new UrlEntries(urlOptions(context, config.url));
    const answer = createAnswer(config, inline, {
      file: watch === undefined ? undefined : () => watch.matcher,
      url: loaded === undefined ? undefined : () => loaded.matcher(),
    });
    return {
      apply(hooks) {
        hooks.check.for("listentry").tap("list", (instance) => answer(instance as ListEntryInstance));
      },
      close() {
        watch?.close();
        loaded?.close();
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

function urlOptions(context: ExtensionContext<Config>, url: string): UrlEntriesOptions {
  const { config, http, clock, random, scheduler, logger } = context;
  const { type, token, maxBytes, staleAfter } = config;
  const patterns = type === "glob" || type === "regex";
  return {
    type,
    url,
    token,
    refreshMs: durationMs(config.refresh),
    timeoutMs: durationMs(config.timeout),
    maxBytes,
    maxEntries: config.maxEntries ?? (patterns ? DEFAULT_MAX_PATTERNS : DEFAULT_MAX_ENTRIES),
    staleAfterMs: staleAfter === undefined ? undefined : durationMs(staleAfter),
    failWhenStale: config.onStale === "fail",
    http,
    clock,
    random,
    scheduler,
    logger,
  };
}

/** Entries outside the document, where the configuration names some. */
interface Sources {
  /** undefined until the file has been read. */
  readonly file: (() => Matcher | undefined) | undefined;
  /** Throws while there is no usable copy. */
  readonly url: (() => Matcher) | undefined;
}

function createAnswer(config: Config, inline: Matcher, { file, url }: Sources) {
  const validity = {
    validDurationMs:
      config.validDuration === undefined
        ? file === undefined && url === undefined
          ? DEFAULT_VALID_MS
          : DEFAULT_VALID_WITH_SOURCE_MS
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
    const read = file?.();
    if (read?.has(value) === true) return listed;
    if (url?.().has(value) === true) return listed;
    return file !== undefined && read === undefined ? untilRead : unlisted;
  };
}

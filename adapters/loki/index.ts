// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CallContext,
  createDecisionLine,
  type DecisionInstance,
  defineAdapter,
  endpointUrl,
  type ExtensionContext,
  httpAccessHeaders,
  httpFailure,
  oversized,
  PurserError,
  type ReportOutcome,
  toJson,
} from "../../plugins/sdk/index.ts";
import { Config, faultsOf, type LokiConfig } from "./config.ts";
import { cutText, labelName, MAX_VALUE_BYTES } from "./labels.ts";
import { lineOf, type Members, membersOf, textAt } from "./line.ts";
import { bytesOf, type Entry, FRAME, pushBody } from "./push.ts";
import { refusedEntries } from "./refusal.ts";
import { Streams } from "./streams.ts";
import { isWritable, nanoseconds } from "./timestamp.ts";

/** Pushes log entries and decisions to Grafana Loki, or to a server that takes Loki's pushes. */
export const loki = defineAdapter({
  name: "loki",
  description: "Pushes log entries and decisions to Grafana Loki.",
  templates: ["logentry", "decision"],
  ordered: false,
  config: Config,
  check: faultsOf,
  build(context) {
    const { redact } = context.config;
    const decisionLine = createDecisionLine({ redact, hash: [], hashKey: "" });
    const push = pusher(context);
    const entryForm = { membersOf, write: toJson };
    const decisionForm = {
      membersOf: (instance: DecisionInstance): Members => decisionLine(instance),
      // The line is plain JSON, its texts cut already.
      write: (value: unknown): string | undefined => JSON.stringify(value),
    };
    return {
      logentry: (batch, call) => push(batch, entryForm, call),
      decision: (batch, call) => push(batch, decisionForm, call),
      close() {},
    };
  },
});

interface Timed {
  readonly timestampMs: number;
}

/** How the lines of a template are written. */
interface LineForm<T> {
  readonly membersOf: (instance: T) => Members;
  readonly write: (value: unknown) => string | undefined;
}

type Push = <T extends Timed>(
  batch: readonly T[],
  form: LineForm<T>,
  call: CallContext,
) => Promise<ReportOutcome>;

/** Returns the function that sends one batch, as a report function must. */
function pusher({ config, clock, http }: ExtensionContext<LokiConfig>): Push {
  const url = endpointUrl(config.url, "/loki/api/v1/push");
  const { maxBytes, tenant } = config;
  const headers = {
    ...httpAccessHeaders(config),
    "content-type": "application/json",
    ...(tenant === undefined ? {} : { "x-scope-orgid": tenant }),
  };
  const entryOf = entryWriter(config, clock);

  return async (batch, { membersOf: members, write }, call) => {
    if (batch.length === 0) return;
    const entries = batch.map((instance, index) =>
      entryOf({ members: members(instance), write, timestampMs: instance.timestampMs, index }),
    );
    const frameBytes = FRAME.before.length + FRAME.after.length;
    const large = oversized(entries.map(bytesOf), { maxBytes, frameBytes });
    const left = new Set(large.map(({ index }) => index));
    const sent = entries.filter(({ index }) => !left.has(index));
    if (sent.length === 0) return { refused: large };
    const response = await http.request({ url, headers, body: pushBody(sent) }, call);
    const failure = httpFailure(response, clock);
    if (failure === undefined) return large.length === 0 ? undefined : { refused: large };
    const late = response.status === 400 ? refusedEntries(response.text(), sent) : undefined;
    if (late === undefined) throw failure;
    const error = new PurserError("PURSER_HANDLER_FAILED", failure.message, { retryable: false });
    return { refused: [...large, ...late.map(({ index }) => ({ index, error }))] };
  };
}

interface Unwritten extends Timed {
  readonly members: Members;
  readonly write: LineForm<unknown>["write"];
  readonly index: number;
}

function entryWriter(
  config: LokiConfig,
  clock: ExtensionContext<LokiConfig>["clock"],
): (unwritten: Unwritten) => Entry {
  const streams = new Streams(config, () => clock.monotonicMs());
  const metadata = Object.entries(config.structuredMetadata).map(
    ([name, source]) => [labelName(name), source] as const,
  );
  return ({ members, write, timestampMs, index }) => {
    // One entry whose time Loki cannot read would have the whole request refused.
    const timeMs = isWritable(timestampMs) ? timestampMs : clock.nowMs();
    const value: unknown[] = [nanoseconds(timeMs), lineOf(members, config.maxLineBytes, write)];
    const found = metadata.flatMap(([name, source]) => {
      const text = textAt(members, source);
      return text === undefined ? [] : [[name, cutText(text, MAX_VALUE_BYTES)] as const];
    });
    if (found.length > 0) value.push(Object.fromEntries(found));
    return { index, stream: streams.of(members), timeMs, json: JSON.stringify(value) };
  };
}

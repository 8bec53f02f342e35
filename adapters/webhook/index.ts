// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import {
  type CallContext,
  createDecisionLine,
  type DecisionInstance,
  defineAdapter,
  type ExtensionContext,
  httpAccessHeaders,
  oversized,
  type ReportOutcome,
  type TemplateName,
} from "../../plugins/sdk/index.ts";
import { BatchIds } from "./batch-ids.ts";
import { bodyFormat } from "./body.ts";
import { Config, faultsOf, type WebhookConfig } from "./config.ts";
import { logEntryItem, metricItem, traceSpanItem } from "./items.ts";
import { keyOfSecret, signatureOf } from "./signature.ts";

const compress = promisify(gzip);

/** Posts batches of telemetry to a URL, signed as Standard Webhooks describes. */
export const webhook = defineAdapter({
  name: "webhook",
  description: "Posts batches of logs, metrics, spans and decisions to a URL as JSON, signed if wanted.",
  templates: ["logentry", "metric", "tracespan", "decision"],
  ordered: false,
  config: Config,
  check: faultsOf,
  build(context) {
    const { redact } = context.config;
    const lineOf = createDecisionLine({ redact, hash: [], hashKey: "" });
    // The line is plain JSON, its texts cut already.
    const decisionItem = (instance: DecisionInstance): string => JSON.stringify(lineOf(instance));
    const post = poster(context);
    return {
      logentry: (batch, call) => post("logentry", batch, logEntryItem, call),
      metric: (batch, call) => post("metric", batch, metricItem, call),
      tracespan: (batch, call) => post("tracespan", batch, traceSpanItem, call),
      decision: (batch, call) => post("decision", batch, decisionItem, call),
      close() {},
    };
  },
});

type Post = <T>(
  template: TemplateName,
  batch: readonly T[],
  itemOf: (instance: T) => string,
  call: CallContext,
) => Promise<ReportOutcome>;

/** Returns the function that sends one batch, as a report function must. */
function poster({ config, handler, clock, http }: ExtensionContext<WebhookConfig>): Post {
  const { url, maxBytes } = config;
  const format = bodyFormat(config.format, config.envelope);
  const keys = config.signingSecrets.flatMap((secret) => keyOfSecret(secret) ?? []);
  const common = { ...httpAccessHeaders(config), "content-type": format.contentType };
  const ids = new BatchIds();

  return async (template, batch, itemOf, call) => {
    if (batch.length === 0) return;
    const { id, attempt } = ids.next(batch);
    const before = format.before({ id, handler, template, attempt });
    const texts = batch.map(itemOf);
    const refused = oversized(
      texts.map((text) => Buffer.byteLength(text)),
      { maxBytes, frameBytes: Buffer.byteLength(before) + format.after.length },
    );
    if (refused.length === batch.length) return { refused };
    const left = new Set(refused.map(({ index }) => index));
    const items = texts.filter((_, index) => !left.has(index));
    const text = `${before}${items.join(format.separator)}${format.after}`;
    const timestamp = Math.floor(clock.nowMs() / 1000);
    const headers = {
      ...common,
      "purser-template": template,
      "purser-attempt": String(attempt),
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      ...(keys.length === 0 ? {} : { "webhook-signature": signatureOf(keys, id, timestamp, text) }),
      ...(config.gzip ? { "content-encoding": "gzip" } : {}),
    };
    await http.send({ url, headers, body: config.gzip ? await compress(text) : text }, call);
    return refused.length === 0 ? undefined : { refused };
  };
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  defineAdapter,
  endpointUrl,
  httpAccessHeaders,
  isPurserError,
  oversized,
  type RefusedInstance,
} from "../../plugins/sdk/index.ts";
import { Config, faultsOf } from "./config.ts";
import { zipkinSpan } from "./span.ts";

/** Bytes of a body beside its spans: `[` and `]`. */
const FRAME_BYTES = 2;

/** Posts spans to Zipkin, in the JSON of its API v2. */
export const zipkin = defineAdapter({
  name: "zipkin",
  description: "Posts spans to Zipkin, or to a server that takes Zipkin's JSON.",
  templates: ["tracespan"],
  ordered: false,
  config: Config,
  check: faultsOf,
  build({ config, http }) {
    const url = endpointUrl(config.url, "/api/v2/spans");
    const headers = { ...httpAccessHeaders(config), "content-type": "application/json" };
    return {
      async tracespan(batch, call) {
        const refused: RefusedInstance[] = [];
        const spans: { readonly index: number; readonly json: string }[] = [];
        for (const [index, instance] of batch.entries()) {
          try {
            spans.push({ index, json: JSON.stringify(zipkinSpan(instance, config)) });
          } catch (error) {
            if (!isPurserError(error)) throw error;
            refused.push({ index, error });
          }
        }
        const sizes = spans.map(({ json }) => Buffer.byteLength(json));
        const large = oversized(sizes, { maxBytes: config.maxBytes, frameBytes: FRAME_BYTES });
        const left = new Set(large.map(({ index }) => index));
        for (const { index, error } of large) refused.push({ index: spans[index]?.index ?? index, error });
        const sent = spans.filter((_, index) => !left.has(index));
        if (sent.length > 0)
          await http.send({ url, headers, body: `[${sent.map(({ json }) => json).join(",")}]` }, call);
        return refused.length === 0 ? undefined : { refused };
      },
      close() {},
    };
  },
});

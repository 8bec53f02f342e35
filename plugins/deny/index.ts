// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type CheckAnswer,
  Choice,
  Closed,
  definePlugin,
  Duration,
  durationMs,
  headerNameFault,
  headerValueFault,
  MapOf,
  STATUS_CODES,
  type StatusCode,
  Type,
} from "../sdk/index.ts";

const TEMPLATES = ["checknothing", "listentry", "headers", "authorization"] as const;

const REFUSALS = STATUS_CODES.filter((code): code is Exclude<StatusCode, "OK"> => code !== "OK");

/** Refuses every instance that it is asked about: the Rule's `match` has already selected the requests. */
export const deny = definePlugin({
  name: "deny",
  description: "Refuses every request that matches its rule.",
  templates: TEMPLATES,
  config: Type.Object({
    status: Closed(
      {
        // Mixer's denier used FAILED_PRECONDITION, which is HTTP 400: clients would look for the mistake in
        // themselves.
        code: Choice(REFUSALS, "The status of the refusal.", { default: "PERMISSION_DENIED" }),
        message: Type.String({ default: "denied", description: "Message to the client." }),
      },
      { default: {}, description: "The reply to a refused request." },
    ),
    directResponse: Type.Optional(
      Closed(
        {
          code: Type.Integer({ minimum: 200, maximum: 599, description: "The HTTP status." }),
          headers: MapOf(Type.String(), {
            default: {},
            description: "Headers of the reply, by name.",
          }),
          body: Type.String({ default: "", description: "The body of the reply." }),
        },
        { description: "The exact reply, in place of the status." },
      ),
    ),
    validDuration: Duration("How long a proxy may reuse the refusal.", { default: "10s" }),
    validUseCount: Type.Integer({
      minimum: 1,
      default: 10_000,
      description: "How often a proxy may reuse the refusal.",
    }),
  }),
  check({ directResponse }) {
    return Object.entries(directResponse?.headers ?? {}).flatMap(([name, value]) => {
      const message = headerNameFault(name) ?? headerValueFault(name, value);
      return message === undefined ? [] : [{ path: ["directResponse", "headers", name], message }];
    });
  },
  build({ config }) {
    const { directResponse } = config;
    const answer: CheckAnswer = {
      status: config.status,
      validDurationMs: durationMs(config.validDuration),
      validUseCount: config.validUseCount,
      ...(directResponse === undefined
        ? {}
        : {
            directResponse: {
              httpStatus: directResponse.code,
              headers: directResponse.headers,
              body: directResponse.body,
            },
          }),
    };
    return {
      apply(hooks) {
        for (const template of TEMPLATES) hooks.check.for(template).tap("deny", () => answer);
      },
      close() {},
    };
  },
});

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Middleware } from "koa";
import type { Random } from "../../../kernel/ports.ts";

/** What may be repeated in a header and a log line without a second thought. */
const PLAIN_ID = /^[\x21-\x7e]{1,128}$/;

/** Every answer names its request: with the id that the client sent, or with a new one. */
export function requestId(random: Random): Middleware {
  return (context, next) => {
    const sent = context.get("x-request-id");
    context.set("x-request-id", PLAIN_ID.test(sent) ? sent : newId(random));
    return next();
  };
}

/** 16 hex digits: to find a log line by, not to be unguessable. */
export function newId(random: Random): string {
  const part = () =>
    Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, "0");
  return part() + part();
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context } from "koa";
import { messageOf, PurserError } from "../../../kernel/errors.ts";
import type { BodyReader } from "./body-reader.ts";
import { assertJsonBounds } from "./json-bounds.ts";

/**
 * Reads the whole text of a request's JSON body, without parsing it.
 *
 * @throws {PurserError} PURSER_REQUEST_TOO_LARGE, PURSER_REQUEST_INVALID, PURSER_OVERLOADED.
 */
export async function readJsonText(context: Context, bodies: BodyReader): Promise<string> {
  try {
    const encoding = context.get("content-encoding");
    if (encoding !== "" && encoding !== "identity") {
      const message = `content-encoding ${encoding} is not taken: send plain JSON`;
      throw new PurserError("PURSER_REQUEST_INVALID", message);
    }
    return await bodies.read(context.req);
  } catch (error) {
    // The rest of the body is not read: the connection cannot serve another request.
    context.set("Connection", "close");
    throw error;
  }
}

/** @throws {PurserError} PURSER_REQUEST_INVALID, PURSER_REQUEST_TOO_LARGE. */
export function parseJson(text: string): unknown {
  assertJsonBounds(text);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new PurserError("PURSER_REQUEST_INVALID", `the body is not JSON: ${messageOf(error)}`);
  }
}

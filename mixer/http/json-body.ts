// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context } from "koa";
import readRawBody from "raw-body";
import { messageOf, PurserError } from "../../core/kernel/errors.ts";

/**
 * The request's body as JSON.
 *
 * @throws {PurserError} PURSER_REQUEST_TOO_LARGE, PURSER_REQUEST_INVALID.
 */
export async function readJson(context: Context, limitBytes: number): Promise<unknown> {
  const encoding = context.get("content-encoding");
  if (encoding !== "" && encoding !== "identity") {
    throw new PurserError(
      "PURSER_REQUEST_INVALID",
      `content-encoding ${encoding} is not taken: send plain JSON`,
    );
  }
  const text = await readText(context, limitBytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new PurserError("PURSER_REQUEST_INVALID", `the body is not JSON: ${messageOf(error)}`);
  }
}

async function readText(context: Context, limitBytes: number): Promise<string> {
  try {
    return await readRawBody(context.req, {
      limit: limitBytes,
      length: context.request.length ?? null,
      encoding: "utf-8",
    });
  } catch (error) {
    if ((error as { type?: unknown }).type !== "entity.too.large") {
      throw new PurserError("PURSER_REQUEST_INVALID", `the body could not be read: ${messageOf(error)}`);
    }
    // The rest of it is not read: the connection cannot serve another request.
    context.set("Connection", "close");
    throw new PurserError("PURSER_REQUEST_TOO_LARGE", `the body is larger than ${limitBytes} bytes`);
  }
}

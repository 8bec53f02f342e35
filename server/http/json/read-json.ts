// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context } from "koa";
import type { BodyReader } from "./body-reader.ts";
import { parseJson, refuseEncoding } from "./json-body.ts";

/**
 * The parsed body of a request to a route.
 *
 * @throws {PurserError} PURSER_REQUEST_INVALID, PURSER_REQUEST_TOO_LARGE, PURSER_OVERLOADED.
 */
export async function readJson(context: Context, bodies: BodyReader): Promise<unknown> {
  const { req: request } = context;
  const text = await new Promise<string>((resolve, reject) => {
    const refused = (error: unknown): void => {
      // The rest of a body that was not read would be taken for the next request.
      context.set("Connection", "close");
      reject(error);
    };
    try {
      refuseEncoding(request.headers["content-encoding"]);
      bodies.read(request, { received: resolve, refused });
    } catch (error) {
      refused(error);
    }
  });
  return parseJson(text);
}

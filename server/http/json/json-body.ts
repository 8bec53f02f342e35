// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf, PurserError } from "../../../kernel/errors.ts";
import { assertJsonBounds } from "./json-bounds.ts";

/** @throws {PurserError} PURSER_REQUEST_INVALID for a compressed body. */
export function refuseEncoding(encoding: string | undefined): void {
  if (encoding === undefined || encoding === "" || encoding === "identity") return;
  const message = `content-encoding ${encoding} is not taken: send plain JSON`;
  throw new PurserError("PURSER_REQUEST_INVALID", message);
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

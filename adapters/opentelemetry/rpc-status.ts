// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { fieldsOf } from "./protobuf.ts";

/** The parts of a google.rpc.Status that the adapter uses. */
export interface RpcStatus {
  readonly message: string;
  /** The pause of a google.rpc.RetryInfo among its details, in milliseconds. */
  readonly retryDelayMs: number | undefined;
}

/** Longer messages of a server are cut, in characters. */
const MAX_MESSAGE_LENGTH = 200;

const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";

/** Reads a google.rpc.Status; undefined when the bytes are no such message. */
export function decodeStatus(bytes: Uint8Array): RpcStatus | undefined {
  try {
    let message = "";
    let retryDelayMs: number | undefined;
    for (const { field, value } of fieldsOf(bytes)) {
      if (field === 2 && typeof value !== "number") message = textOf(value);
      if (field === 3 && typeof value !== "number") retryDelayMs ??= retryDelayOf(value);
    }
    return { message, retryDelayMs };
  } catch {
    return undefined;
  }
}

/** The delay of a google.protobuf.Any that holds a RetryInfo. */
function retryDelayOf(any: Uint8Array): number | undefined {
  let type = "";
  let info: Uint8Array = new Uint8Array();
  for (const { field, value } of fieldsOf(any)) {
    if (typeof value === "number") continue;
    if (field === 1) type = Buffer.from(value).toString("utf8");
    if (field === 2) info = value;
  }
  if (type !== RETRY_INFO) return undefined;
  for (const { field, value } of fieldsOf(info))
    if (field === 1 && typeof value !== "number") return durationOf(value);
  return 0;
}

/** A google.protobuf.Duration in milliseconds; a negative one is none. */
function durationOf(duration: Uint8Array): number {
  let milliseconds = 0;
  for (const { field, value } of fieldsOf(duration)) {
    if (typeof value !== "number") continue;
    if (field === 1) milliseconds += value * 1000;
    if (field === 2) milliseconds += value / 1e6;
  }
  return Math.max(0, Math.ceil(milliseconds));
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes)
    .toString("utf8")
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text;
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ResponseHead } from "../../contract/head.ts";
import { HeaderList } from "../../contract/header-list.ts";

/**
 * A response's head of the fields that node:http2 decoded; see `requestHeadOf` for the faults that nghttp2 has refused.
 *
 * @param raw Name, value, name, value … with `:status`.
 * @param endsHere Whether the stream ends with the head.
 */
export function responseHeadOf(raw: readonly string[], endsHere: boolean): ResponseHead {
  let status = 0;
  const flat: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] as string;
    if (name === ":status") status = Number(raw[index + 1]);
    else if (!name.startsWith(":")) flat.push(name, raw[index + 1] as string);
  }
  return { status, headers: new HeaderList(flat), endsHere };
}

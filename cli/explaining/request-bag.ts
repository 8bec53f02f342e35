// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { PurserError } from "../../core/kernel/errors.ts";
import { parseQuery } from "../../proxy/http1/request-target.ts";

/**
 * The bag that an edge proxy would make of such a request, as far as one line tells.
 * @param line `GET http://reviews/path?query`; the host may have a port.
 * @param headers `name: value`, each.
 * @throws {PurserError} PURSER_CLI_USAGE when one of them is not of its form.
 */
export function bagOfRequest(line: string, headers: readonly string[], nowMs: number): AttributeBag {
  const [, method, target] = /^([A-Z]+) (\S+)$/.exec(line.trim()) ?? [];
  const url = target !== undefined && URL.canParse(target) ? new URL(target) : undefined;
  if (method === undefined || url === undefined || !/^https?:$/.test(url.protocol))
    throw new PurserError(
      "PURSER_CLI_USAGE",
      `--request ${JSON.stringify(line)} is not of the form 'GET http://reviews/path'`,
    );
  const named = { host: url.host, ...Object.fromEntries(headers.map(parseHeader)) } as Record<string, string>;
  const time = new Date(nowMs).toISOString();
  const { "user-agent": useragent, referer } = named;
  return {
    source: { ip: "127.0.0.1" },
    origin: { ip: "127.0.0.1" },
    destination: { service: { name: url.hostname.split(".")[0] as string, host: url.hostname } },
    request: {
      method,
      scheme: url.protocol.slice(0, -1),
      host: named["host"] as string,
      path: url.pathname + url.search,
      url_path: url.pathname,
      query_params: parseQuery(url.search),
      headers: named,
      size: 0,
      time,
      ...(useragent === undefined ? {} : { useragent }),
      ...(referer === undefined ? {} : { referer }),
    },
    connection: { mtls: false },
    context: { protocol: "http", time },
  };
}

function parseHeader(header: string): readonly [string, string] {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*)$/s.exec(header) ?? [];
  if (name === undefined || value === undefined)
    throw new PurserError(
      "PURSER_CLI_USAGE",
      `-H ${JSON.stringify(header)} is not of the form 'name: value'`,
    );
  return [name.toLowerCase(), value.trim()];
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckRequest } from "../../api/mixer-service.ts";
import { CHECK_PATH } from "../../api/json/check.ts";
import { ID, writePostScript } from "../proxy/load/post-script.ts";

/** Checks come for this number of users in turn. */
const USERS = 50;

/** The attributes of a GET in a mesh, as a sidecar sends them. */
export function attributesOf(user: number) {
  return {
    source: { ip: "10.1.2.3", port: 42_424, principal: "spiffe://mesh/ns/shop/sa/web" },
    destination: { service: { name: "upstream", namespace: "default", host: "upstream.mesh" } },
    origin: { ip: "10.1.2.3" },
    request: {
      method: "GET",
      path: "/books/17?full=1",
      url_path: "/books/17",
      scheme: "http",
      host: "upstream.mesh",
      headers: {
        host: "upstream.mesh",
        accept: "*/*",
        "user-agent": "purser-bench/1",
        "x-user": `user-${user}`,
        "x-request-id": "11111111-2222-3333-4444-555555555555",
      },
      query_params: { full: "1" },
      size: 0,
      time: "2026-01-01T00:00:00.000Z",
    },
    connection: { id: "connection-1", mtls: false },
    context: {
      protocol: "http",
      reporter: { kind: "inbound", uid: "sidecar-1" },
      time: "2026-01-01T00:00:00.000Z",
    },
  } satisfies CheckRequest["attributes"];
}

/** The body of a check for one of the users. */
export function checkBody(user: number, deduplicationId: string): string {
  return JSON.stringify({ attributes: attributesOf(user), deduplicationId } satisfies CheckRequest);
}

/** Writes one attribute bag for each user as JSON Lines, for `purser bench`. */
export function writeBags(folder: string): string {
  const file = join(folder, "bags.jsonl");
  const bags = Array.from({ length: USERS }, (_, user) => JSON.stringify(attributesOf(user)));
  writeFileSync(file, `${bags.join("\n")}\n`);
  return file;
}

/** Writes the Lua script that makes wrk send checks. */
export function writeCheckScript(folder: string): string {
  const bodies = Array.from({ length: USERS }, (_, user) => checkBody(user, ID));
  return writePostScript(folder, "check", CHECK_PATH, bodies);
}

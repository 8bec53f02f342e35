// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CheckRequest } from "../../api/mixer-service.ts";
import { CHECK_PATH } from "../../api/json/check.ts";
import { PRINT_FIGURES } from "../proxy/load/wrk.ts";

/** Checks come for this number of users in turn. */
const USERS = 50;

/** Stands in the Lua script for a text that the script makes for each check. */
const ID = "DEDUPLICATION_ID";

/** The attributes of a GET in a mesh, as a sidecar sends them. */
function attributesOf(user: number): CheckRequest["attributes"] {
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
  };
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

/**
 * Writes the Lua script that makes wrk send checks. Each check has an id of its own, because the mixer answers a
 * repeated id from memory. wrk runs the script anew for each run, so the ids begin with the time.
 */
export function writeCheckScript(folder: string): string {
  const file = join(folder, "check.lua");
  const bodies = Array.from({ length: USERS }, (_, user) => checkBody(user, ID));
  writeFileSync(
    file,
    `local count, bodies = 0, {
${bodies.map((body) => `  { [==[${body.replace(ID, "]==], [==[")}]==] },`).join("\n")}
}
local start = os.time() .. "-" .. math.floor(os.clock() * 1e6) .. "-"
function init(args)
  wrk.headers["Content-Type"] = "application/json"
end
function request()
  count = count + 1
  local body = bodies[count % ${USERS} + 1]
  return wrk.format("POST", "${CHECK_PATH}", nil, body[1] .. start .. count .. body[2])
end
${PRINT_FIGURES}`,
  );
  return file;
}

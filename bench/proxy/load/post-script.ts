// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PRINT_FIGURES } from "./wrk.ts";

/** Stands in a body for a text that the script makes for each request. */
export const ID = "DEDUPLICATION_ID";

/**
 * Writes the Lua script that makes wrk post JSON bodies in turn, each with an id of its own, because a mixer answers a
 * repeated id from memory. wrk runs the script anew for each run, so the ids begin with the time.
 */
export function writePostScript(
  folder: string,
  name: string,
  path: string,
  bodies: readonly string[],
): string {
  const file = join(folder, `${name}.lua`);
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
  local body = bodies[count % ${bodies.length} + 1]
  return wrk.format("POST", "${path}", nil, body[1] .. start .. count .. body[2])
end
${PRINT_FIGURES}`,
  );
  return file;
}

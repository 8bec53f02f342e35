// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

// A route that is registered without its record would be missing from the OpenAPI document of its surface.

describe("routes of described control surfaces", () => {
  it("are registered by their records", () => {
    const files = ["mixer", "pilot", "proxy", "server"].flatMap((room) =>
      readdirSync(ROOT + room, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
        .map((file) => `${ROOT}${room}/${file}`),
    );
    assert.ok(files.length > 100);
    const direct = files.filter((file) =>
      /\brouter\s*\.\s*(get|head|post|put|patch|del|delete|options|all|register)\s*\(/.test(
        readFileSync(file, "utf8"),
      ),
    );
    assert.deepEqual(direct, []);
  });
});

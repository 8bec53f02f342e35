// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes schemas/openapi/ from the operations of the control surfaces; with --check, writes nothing and fails when a file differs.
import { mkdirSync } from "node:fs";
import { SURFACE_DOCUMENTS } from "../api/json/operations/surfaces.ts";
import { writeOrCheck } from "./write-or-check.ts";

mkdirSync(new URL("../schemas/openapi/", import.meta.url), { recursive: true });
for (const [name, document] of Object.entries(SURFACE_DOCUMENTS))
  writeOrCheck(`schemas/openapi/${name}.json`, `${JSON.stringify(document(), undefined, 2)}\n`);

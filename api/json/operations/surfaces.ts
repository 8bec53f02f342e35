// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import * as admin from "./admin-operations.ts";
import { GET_HEALTH } from "./health-operations.ts";
import * as mixer from "./mixer-operations.ts";
import { openApiDocument } from "./openapi.ts";
import * as pilot from "./pilot-operations.ts";
import * as every from "./process-operations.ts";

const EVERY = Object.values(every);

/** The OpenAPI documents of the control surfaces, as schemas/openapi/ has them and /v1/openapi.json serves them. */
export const SURFACE_DOCUMENTS = {
  mixer: () => openApiDocument("mixer", [...Object.values(mixer), GET_HEALTH, ...EVERY], "json"),
  pilot: () => openApiDocument("pilot", [...Object.values(pilot), GET_HEALTH, ...EVERY], "json"),
  admin: () => openApiDocument("proxy", [...Object.values(admin), ...EVERY], "text"),
};

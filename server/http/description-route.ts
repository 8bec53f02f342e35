// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { openApiDocument, type SurfaceName } from "../../api/json/operations/openapi.ts";
import { GET_DESCRIPTION } from "../../api/json/operations/process-operations.ts";
import type { ErrorFormat } from "./answer-errors.ts";
import type { SurfaceRouter } from "./surface-router.ts";

/** Serves the OpenAPI document of the routes that are registered, itself included. */
export function addDescriptionRoute(
  router: SurfaceRouter,
  surface: SurfaceName,
  errorFormat: ErrorFormat,
): void {
  let text: string | undefined;
  router.serve(GET_DESCRIPTION, (context) => {
    text ??= JSON.stringify(openApiDocument(surface, router.operations, errorFormat));
    context.type = "application/json";
    context.body = text;
  });
}

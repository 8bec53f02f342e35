// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import type { HeaderOperation } from "../../core/templates/instances.ts";
import { applyHeaderOperation } from "../../core/verdict/header-operations.ts";
import type { HeaderList } from "../transport/contract/header-list.ts";
import { writeCorsHeaders } from "./cors.ts";
import { applyRewrite } from "./rewrite.ts";
import type { Filter } from "./filter.ts";

/**
 * Applies the header operations of the policies, the route and the destination, in this order, and the route's
 * rewrite of path and authority; on responses also the fields of the route's CORS policy.
 */
export function headersFilter(): Filter {
  return {
    name: "headers",
    onRequest(exchange) {
      const { request, verdict, selection } = exchange;
      if (verdict !== undefined) applyOperations(verdict.requestHeaders, request.headers);
      if (selection?.kind !== "forward") return undefined;
      const { matched, destination, action } = selection;
      applyOperations(matched.requestHeaders, request.headers);
      applyOperations(destination.requestHeaders, request.headers);
      return action.rewrite === undefined ? undefined : applyRewrite(exchange, matched, action.rewrite);
    },
    onResponse({ verdict, selection, cors }, response) {
      if (selection !== undefined) {
        if (selection.kind === "forward")
          applyOperations(selection.destination.responseHeaders, response.headers);
        applyOperations(selection.matched.responseHeaders, response.headers);
      }
      if (cors !== undefined) writeCorsHeaders(response.headers, cors);
      if (verdict !== undefined) applyOperations(verdict.responseHeaders, response.headers);
      // An upstream's own `server` header is kept: it helps debugging, and hiding it protects nothing.
      if (!response.headers.has("server")) response.headers.appendPlain("server", "purser");
    },
    onRequestTrailers({ verdict, selection }, trailers) {
      if (verdict !== undefined) removeNamed(verdict.requestHeaders, trailers);
      if (selection?.kind !== "forward") return;
      removeNamed(selection.matched.requestHeaders, trailers);
      removeNamed(selection.destination.requestHeaders, trailers);
    },
    onResponseTrailers({ verdict, selection }, trailers) {
      if (selection?.kind === "forward") {
        removeNamed(selection.destination.responseHeaders, trailers);
        removeNamed(selection.matched.responseHeaders, trailers);
      }
      if (verdict !== undefined) removeNamed(verdict.responseHeaders, trailers);
    },
  };
}

/** A removed field must not come as a trailer instead: some recipients merge trailers into the headers. */
function removeNamed(operations: readonly HeaderOperation[], trailers: HeaderList): void {
  for (const { operation, name } of operations) if (operation === "remove") trailers.remove(name);
}

/** Applies operations in order; control characters in their values become spaces. */
export function applyOperations(operations: readonly HeaderOperation[], headers: HeaderList): void {
  for (const { operation, name, value } of operations) apply(operation, name, value, headers);
}

/** Applies one operation. Values from the mixer, another process, are not trusted to be safe on the wire. */
function apply(
  operation: HeaderOperation["operation"],
  name: string,
  value: string | undefined,
  headers: HeaderList,
): void {
  applyHeaderOperation(
    headers,
    operation,
    name,
    value === undefined ? undefined : clean(headerBytesOf(value)),
  );
}

/** Replaces control characters (CR and LF above all) by spaces, against header injection. */
function clean(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return /[^\t\x20-\x7e\x80-\xff]/.test(value) ? value.replace(/[^\t\x20-\x7e\x80-\xff]/g, " ") : value;
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  decodeAuditQuery,
  decodeBlockCommand,
  decodeCountCommand,
  decodeEndQuery,
  decodeListQuery,
  decodeRaiseCommand,
  decodeTopQuery,
} from "../../../api/json/quota-operations.ts";
import {
  AUDIT_QUOTAS,
  BLOCK_QUOTA,
  END_BLOCK,
  END_RAISE,
  LIST_QUOTAS,
  RAISE_QUOTA,
  RESET_QUOTA,
  TOP_QUOTAS,
} from "../../../api/json/operations/mixer-operations.ts";
import type { Operation } from "../../../api/json/operations/operation.ts";
import type { AuditEntry } from "../../../api/quota-operations.ts";
import { concurrencyLimit } from "../../../server/concurrency-limit.ts";
import type { BodyReader } from "../../../server/http/json/body-reader.ts";
import { readJson } from "../../../server/http/json/read-json.ts";
import type { SurfaceRouter } from "../../../server/http/surface-router.ts";
import type { Mixer } from "../../mixer.ts";

/** Most calls under way: operators are few, and must get through when proxies use up the limit of checks. */
const MAX_CALLS = 16;

/** The quotas for operators: lists, and changes of single counts, each with the caller's address in the audit. */
export function addQuotaRoutes(
  router: SurfaceRouter,
  { quotas }: Pick<Mixer, "quotas">,
  bodies: BodyReader,
): void {
  const limit = concurrencyLimit(MAX_CALLS);
  router.serve(LIST_QUOTAS, (context) =>
    limit(async () => {
      context.body = await quotas.list(decodeListQuery(context.query));
    }),
  );
  router.serve(TOP_QUOTAS, (context) =>
    limit(async () => {
      context.body = await quotas.top(decodeTopQuery(context.query));
    }),
  );
  router.serve(AUDIT_QUOTAS, (context) => {
    context.body = quotas.audit(decodeAuditQuery(context.query).limit);
  });
  const command = (operation: Operation, run: (body: unknown, by: string) => Promise<AuditEntry>): void => {
    router.serve(operation, async (context) => {
      const body = await readJson(context, bodies);
      await limit(async () => {
        context.body = await run(body, addressOf(context.req));
      });
    });
  };
  command(RESET_QUOTA, async (body, by) => await quotas.reset(decodeCountCommand(body), by));
  command(RAISE_QUOTA, async (body, by) => await quotas.raise(decodeRaiseCommand(body), by));
  command(BLOCK_QUOTA, async (body, by) => await quotas.block(decodeBlockCommand(body), by));
  for (const [operation, kind] of [
    [END_RAISE, "raise"],
    [END_BLOCK, "block"],
  ] as const) {
    router.serve(operation, (context) =>
      limit(async () => {
        context.body = await quotas.end(kind, decodeEndQuery(context.query), addressOf(context.req));
      }),
    );
  }
}

/** The caller's address; behind a reverse proxy, that of the reverse proxy. */
function addressOf({ socket }: { readonly socket: { readonly remoteAddress?: string | undefined } }): string {
  return socket.remoteAddress ?? "unknown";
}

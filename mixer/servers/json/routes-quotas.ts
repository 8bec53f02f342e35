// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type Router from "@koa/router";
import {
  decodeAuditQuery,
  decodeBlockCommand,
  decodeCountCommand,
  decodeEndQuery,
  decodeListQuery,
  decodeRaiseCommand,
  decodeTopQuery,
  QUOTAS_AUDIT_PATH,
  QUOTAS_BLOCK_PATH,
  QUOTAS_PATH,
  QUOTAS_RAISE_PATH,
  QUOTAS_RESET_PATH,
  QUOTAS_TOP_PATH,
} from "../../../api/json/quota-operations.ts";
import type { AuditEntry } from "../../../api/quota-operations.ts";
import { concurrencyLimit } from "../../../server/concurrency-limit.ts";
import type { BodyReader } from "../../../server/http/json/body-reader.ts";
import { readJson } from "../../../server/http/json/read-json.ts";
import type { Mixer } from "../../mixer.ts";

/** Most calls under way: operators are few, and must get through when proxies use up the limit of checks. */
const MAX_CALLS = 16;

/** The quotas for operators: lists, and changes of single counts, each with the caller's address in the audit. */
export function addQuotaRoutes(router: Router, { quotas }: Pick<Mixer, "quotas">, bodies: BodyReader): void {
  const limit = concurrencyLimit(MAX_CALLS);
  router.get(QUOTAS_PATH, (context) =>
    limit(async () => {
      context.body = await quotas.list(decodeListQuery(context.query));
    }),
  );
  router.get(QUOTAS_TOP_PATH, (context) =>
    limit(async () => {
      context.body = await quotas.top(decodeTopQuery(context.query));
    }),
  );
  router.get(QUOTAS_AUDIT_PATH, (context) => {
    context.body = quotas.audit(decodeAuditQuery(context.query).limit);
  });
  const command = (path: string, run: (body: unknown, by: string) => Promise<AuditEntry>): void => {
    router.post(path, async (context) => {
      const body = await readJson(context, bodies);
      await limit(async () => {
        context.body = await run(body, addressOf(context.req));
      });
    });
  };
  command(QUOTAS_RESET_PATH, async (body, by) => await quotas.reset(decodeCountCommand(body), by));
  command(QUOTAS_RAISE_PATH, async (body, by) => await quotas.raise(decodeRaiseCommand(body), by));
  command(QUOTAS_BLOCK_PATH, async (body, by) => await quotas.block(decodeBlockCommand(body), by));
  for (const [path, kind] of [
    [QUOTAS_RAISE_PATH, "raise"],
    [QUOTAS_BLOCK_PATH, "block"],
  ] as const) {
    router.delete(path, (context) =>
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

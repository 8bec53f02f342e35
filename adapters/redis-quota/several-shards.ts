// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { QuotaGrant, QuotaRequest } from "../../plugins/sdk/index.ts";
import type { ScriptCall } from "./encoding.ts";
import { shardOf } from "./shards.ts";

/** The requests of a call that are on one shard, with their positions in the call. */
export interface ShardPart {
  readonly shard: number;
  readonly requests: QuotaRequest[];
  readonly positions: number[];
}

/** Divides the requests among their shards; a call without requests has no part. */
export function partsOf(requests: readonly QuotaRequest[], shardCount: number): readonly ShardPart[] {
  const parts: ShardPart[] = [];
  for (const [position, request] of requests.entries()) {
    const shard = shardOf(request.cell, shardCount);
    const part = parts.find((known) => known.shard === shard);
    if (part === undefined) parts.push({ shard, requests: [request], positions: [position] });
    else {
      part.requests.push(request);
      part.positions.push(position);
    }
  }
  return parts;
}

/** Charges a part on its shard, all or nothing. */
export type AskShard = (shard: number, call: ScriptCall) => Promise<readonly QuotaGrant[]>;

/**
 * Charges parts on several shards, all or nothing: when one is refused or fails, the grants of the others are given back
 * before the answer, or afterwards when `patience` ends first. Until they are given back, other calls find less than there is,
 * never more. Amounts that the call itself gives back stay given back.
 *
 * @param deduplicationId Each part and the returns get ids of their own, so that a repeated call finds its first answers.
 * @param patience Resolves when the call has to be answered.
 * @throws The first failure of a part.
 */
export async function chargeParts(
  parts: readonly ShardPart[],
  deduplicationId: string,
  ask: AskShard,
  patience: () => Promise<void>,
): Promise<readonly QuotaGrant[]> {
  const idOf = (purpose: string): string => (deduplicationId === "" ? "" : `${deduplicationId} ${purpose}`);
  const answers = await Promise.allSettled(
    parts.map(async ({ shard, requests }) => await ask(shard, { requests, deduplicationId: idOf("shard") })),
  );
  const grants: QuotaGrant[] = [];
  let failure: { readonly reason: unknown } | undefined;
  let refused = false;
  for (const [index, answer] of answers.entries()) {
    if (answer.status === "rejected") {
      failure ??= answer;
      continue;
    }
    const { positions, requests } = parts[index] as ShardPart;
    for (const [at, position] of positions.entries()) {
      const grant = answer.value[at] as QuotaGrant;
      const { amount, bestEffort } = requests[at] as QuotaRequest;
      grants[position] = grant;
      if (!bestEffort && amount > 0 && grant.granted < amount) refused = true;
    }
  }
  if (failure === undefined && !refused) return grants;
  const returned = parts.map(async ({ shard, requests, positions }) => {
    const taken = positions.flatMap((position, at) => {
      const grant = grants[position];
      if (grant === undefined || grant.granted <= 0) return [];
      return [{ ...(requests[at] as QuotaRequest), amount: -grant.granted, slot: grant.slot }];
    });
    if (taken.length > 0) await ask(shard, { requests: taken, deduplicationId: idOf("return") });
  });
  // A grant that cannot be given back counts until its window ends.
  await Promise.race([Promise.allSettled(returned), patience()]);
  if (failure !== undefined) throw failure.reason;
  return grants.map((grant) =>
    grant.granted > 0
      ? { ...grant, granted: 0, remaining: grant.remaining + grant.granted, validForMs: 0 }
      : grant,
  );
}

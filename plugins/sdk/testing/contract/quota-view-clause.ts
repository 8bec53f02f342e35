// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AdapterHandler } from "../../../../core/hooks/extension.ts";
import type { QuotaGrant } from "../../../../core/quota/quota.ts";
import type { QuotaAdjustment, QuotaView, SharedAdjustments } from "../../../../core/quota/quota-view.ts";
import { quotaRequest } from "../sample-instances.ts";

/** Most pages of a listing; a real store has other counts as well. */
const MAX_PAGES = 10_000;

/**
 * Checks the `quotaView` of a quota store that works: pages, reset, and shared adjustments when there are any.
 *
 * @param policy The name of a QuotaPolicy without counts in the store.
 * @returns The faults found; empty when there are none, or no view.
 */
export async function checkQuotaView(
  { quota, quotaView }: Pick<AdapterHandler, "quota" | "quotaView">,
  policy: string,
): Promise<readonly string[]> {
  if (quota === undefined || quotaView === undefined) return [];
  const charge = async (cell: string, amount: number): Promise<QuotaGrant> => {
    const [grant] = await quota([quotaRequest({ cell, amount })], { deduplicationId: "" });
    return grant as QuotaGrant;
  };
  const cells = [1, 2, 3].map((user) => `${policy}{"user":"${user}*"}`);
  for (const cell of cells) await charge(cell, 4);
  // The name of another policy begins with that of the first.
  await charge(`${policy}-2{}`, 1);
  return [
    ...(await listFaults(quotaView, policy, cells)),
    ...(await resetFaults(quotaView, cells, charge)),
    ...(quotaView.shared === undefined ? [] : await sharedFaults(quotaView.shared, cells)),
  ];
}

async function listFaults(
  view: QuotaView,
  policy: string,
  cells: readonly string[],
): Promise<readonly string[]> {
  const { algorithm, windowMs } = quotaRequest();
  const faults: string[] = [];
  const listed = new Set<string>();
  let cursor: string | undefined;
  let pages = 0;
  do {
    const page = await view.list({
      policy,
      algorithm,
      windowMs,
      limit: 2,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { cell } of page.counts) listed.add(cell);
    if (new Set(page.counts.map(({ cell }) => cell)).size < page.counts.length)
      faults.push("a page lists a count twice");
    cursor = page.cursor;
  } while (cursor !== undefined && ++pages < MAX_PAGES);
  if (cursor !== undefined) faults.push(`the listing did not end within ${MAX_PAGES} pages`);
  const names = JSON.stringify([...listed].sort());
  if (names !== JSON.stringify(cells))
    faults.push(`the listing has ${names} in place of ${JSON.stringify(cells)}`);
  const { counts } = await view.list({ policy, algorithm, windowMs: windowMs * 2, limit: 10 });
  if (counts.length > 0) faults.push("the listing has counts with another window");
  return faults;
}

async function resetFaults(
  view: QuotaView,
  [first = "", second = ""]: readonly string[],
  charge: (cell: string, amount: number) => Promise<QuotaGrant>,
): Promise<readonly string[]> {
  const { algorithm, windowMs, limit } = quotaRequest();
  const faults: string[] = [];
  const outcomes = [
    await view.reset({ cell: first, algorithm, windowMs }),
    await view.reset({ cell: `${first}-none`, algorithm, windowMs }),
  ];
  if (outcomes.join() !== "reset,absent")
    faults.push(`reset returned ${outcomes.join()} in place of reset,absent`);
  const left = [(await charge(first, 0)).remaining, (await charge(second, 0)).remaining];
  if (left.join() !== [limit, limit - 4].join())
    faults.push(
      `after the reset of one of two counts, ${left.join()} remain in place of ${limit},${limit - 4}`,
    );
  return faults;
}

async function sharedFaults(
  shared: SharedAdjustments,
  [first = "", second = ""]: readonly string[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  const raise: QuotaAdjustment = {
    kind: "raise",
    cell: first,
    limit: 50,
    leftMs: 60_000,
    by: "127.0.0.1",
    reason: 'a "launch" — ünicode',
    madeAtMs: 1_700_000_000_000,
  };
  const block: QuotaAdjustment = { ...raise, kind: "block", limit: 0, cell: second };
  const mine = async (): Promise<readonly QuotaAdjustment[]> =>
    (await shared.all()).filter(({ cell }) => cell === first || cell === second);
  for (const adjustment of [raise, block, { ...raise, limit: 70 }, { ...block, cell: first, leftMs: 1 }])
    await shared.put(adjustment);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const found = (await mine()).map((one) => ({ ...one, leftMs: one.leftMs > 0 && one.leftMs <= 60_000 }));
  const wanted = [
    { ...raise, limit: 70, leftMs: true },
    { ...block, leftMs: true },
  ];
  const text = (list: readonly object[]): string =>
    list
      .map((one) => JSON.stringify(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))))
      .sort()
      .join("\n");
  if (text(found) !== text(wanted))
    faults.push(`the adjustments are ${text(found)} in place of ${text(wanted)}`);
  const removed = [await shared.remove("block", second), await shared.remove("block", second)];
  if (removed.join() !== "true,false")
    faults.push(`remove returned ${removed.join()} in place of true,false`);
  await shared.remove("raise", first);
  if ((await mine()).length > 0) faults.push("a removed adjustment is still there");
  return faults;
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const WATCHED_RESOURCES = [
  "Timeout",
  "TCPSocketWrap",
  "TCPServerWrap",
  "UDPWrap",
  "FSEventWrap",
  "ProcessWrap",
];

/** What keeps this process alive now, by kind. */
export function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(WATCHED_RESOURCES.map((kind) => [kind, 0]));
  for (const kind of process.getActiveResourcesInfo()) {
    const count = counts.get(kind);
    if (count !== undefined) counts.set(kind, count + 1);
  }
  return counts;
}

/** How long sockets may take to be gone after a close. */
const GRACE_MS = 500;
const POLL_MS = 10;

/** Waits until `condition` holds, for as long as the grace allows. */
export async function eventually(condition: () => boolean): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= GRACE_MS; waitedMs += POLL_MS) {
    if (condition()) return true;
    await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
  }
  return condition();
}

/** What the handler left behind that was not there in `before`. */
export async function leftBehind(before: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const excess = () => [...activeResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0));
  await eventually(() => excess().length === 0);
  return excess().map(
    ([kind, count]) =>
      `left ${count - (before.get(kind) ?? 0)} ${kind} behind after close (see context.scheduler)`,
  );
}

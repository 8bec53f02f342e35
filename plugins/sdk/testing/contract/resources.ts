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

/** Numbers of resources that keep this process alive, by kind. */
export function activeResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>(WATCHED_RESOURCES.map((kind) => [kind, 0]));
  for (const kind of process.getActiveResourcesInfo()) {
    const count = counts.get(kind);
    if (count !== undefined) counts.set(kind, count + 1);
  }
  return counts;
}

/** Time that closed sockets may take to disappear. */
const GRACE_MS = 500;
const POLL_MS = 10;

/** Waits until `condition` holds, for at most GRACE_MS. */
export async function eventually(condition: () => boolean): Promise<boolean> {
  for (let waitedMs = 0; waitedMs <= GRACE_MS; waitedMs += POLL_MS) {
    if (condition()) return true;
    await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
  }
  return condition();
}

/** Resources that exist now and did not exist in `before`. */
export async function leftBehind(before: ReadonlyMap<string, number>): Promise<readonly string[]> {
  const excess = () => [...activeResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0));
  // A server begins to listen, and a socket to connect, some turns of the event loop after the call.
  await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
  await eventually(() => excess().length === 0);
  return excess().map(
    ([kind, count]) =>
      `left ${count - (before.get(kind) ?? 0)} ${kind} behind after close (see context.scheduler)`,
  );
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHook } from "node:async_hooks";

/** Types of asynchronous resources, in async_hooks' words, that keep a process alive until they are closed. */
export const LASTING: ReadonlySet<string> = new Set([
  "Timeout",
  "TCPWRAP",
  "TCPSERVERWRAP",
  "PIPEWRAP",
  "PIPESERVERWRAP",
  "UDPWRAP",
  "FSEVENTWRAP",
  "STATWATCHER",
  "PROCESSWRAP",
  "WORKER",
  "MESSAGEPORT",
]);

/** A timer, or a handle of libuv. */
interface Lasting {
  readonly fd?: number;
  hasRef?(): boolean;
  unref?(): unknown;
}

/**
 * Follows the timers, sockets, watches and child processes that are made from now on. The returned function ends that, and
 * lets the process end without those that are still open: a leaked interval must fail a test, and not keep the test
 * process waiting. It closes nothing, because a library may share a resource between handlers.
 */
export function followLastingResources(): () => void {
  const open = new Map<number, Lasting>();
  const hook = createHook({
    init(id, type, _trigger, resource: Lasting) {
      if (LASTING.has(type)) open.set(id, resource);
    },
    destroy: (id) => void open.delete(id),
  });
  hook.enable();
  return () => {
    hook.disable();
    for (const resource of open.values()) {
      // The runner writes its results to the first three descriptors.
      if (resource.fd !== undefined && resource.fd >= 0 && resource.fd <= 2) continue;
      if (resource.hasRef?.() === true) resource.unref?.();
    }
  };
}

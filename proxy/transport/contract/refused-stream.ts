// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientStream, ClientStreamReceiver } from "./client.ts";
import type { ResetReason } from "./reset.ts";

/** A request that was refused at once. Its receiver hears of it after `open` has returned. */
export class RefusedStream implements ClientStream {
  #receiver: ClientStreamReceiver | undefined;

  constructor(receiver: ClientStreamReceiver, reason: ResetReason, detail: string) {
    this.#receiver = receiver;
    queueMicrotask(() => this.#receiver?.onReset({ reason, connectionReused: false, detail }));
  }

  write(): boolean {
    return true;
  }
  end(): void {}
  pause(): void {}
  resume(): void {}
  reset(): void {
    this.#receiver = undefined;
  }
}

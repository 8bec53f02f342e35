// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RefusalReason } from "../../contract/server.ts";

/** Why the bytes of a message are refused. Towards an upstream, every reason is a protocol error. */
export class MessageFault {
  readonly reason: RefusalReason;
  /** A sentence for the peer and for logs. */
  readonly detail: string;

  constructor(reason: RefusalReason, detail: string) {
    this.reason = reason;
    this.detail = detail;
  }
}

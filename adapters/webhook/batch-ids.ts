// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";

/** One try of a batch. */
export interface Try {
  /** The same for every try of one batch. */
  readonly id: string;
  /** 1 for the first try. */
  readonly attempt: number;
}

/** Recognizes the retries of a batch: the host passes the same array again. Forgets batches that the host has released. */
export class BatchIds {
  readonly #tries = new WeakMap<object, { readonly id: string; attempt: number }>();

  next(batch: object): Try {
    const known = this.#tries.get(batch) ?? { id: `msg_${randomUUID()}`, attempt: 0 };
    known.attempt++;
    this.#tries.set(batch, known);
    return { id: known.id, attempt: known.attempt };
  }
}

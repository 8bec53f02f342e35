// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A head or trailers cannot be written: a field would split the message, or contradicts its framing. */
export class UnsendableHead extends Error {
  override readonly name = "UnsendableHead";
}

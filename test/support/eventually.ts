// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Retries the assertion until it holds; rethrows its last error after `deadlineMs`. */
export async function eventually(
  assertion: () => Promise<void>,
  { deadlineMs = 10_000, everyMs = 50 }: { readonly deadlineMs?: number; readonly everyMs?: number } = {},
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}

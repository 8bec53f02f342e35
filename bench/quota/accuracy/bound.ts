// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { largestLease } from "../../../proxy/policy/leases/lease-size.ts";
import { useTimeMs } from "../../../proxy/policy/leases/use-time.ts";
import type { Counting } from "./central-counter.ts";
import { defaultLeaseMs, roundTripMs, type Traffic } from "./traffic.ts";

/** Slots of a sliding window; core/quota/counting/sliding-window.ts frees a slot only when it is wholly past. */
const SLOTS_PER_WINDOW = 32;

/**
 * The counting of a central counter that admits as little as leases may, apart from the leases themselves. With
 * hold = max(lease, use time), the longest time from a grant to its use:
 *
 * - sliding-window: an amount is free again a window and at most a slot after the end of its hold, and is asked
 *   for a round trip later at most. So the window is longer by all of these.
 * - sliding-log: the same without a slot.
 * - token-bucket: an amount counts as used at the end of its hold, and a full bucket does not refill until then.
 *   So the bucket is smaller by the refill of a hold.
 * - fixed-window: the same counting; its loss is in `displacedPerWindow`.
 */
export function slowedCounting(traffic: Traffic): Counting {
  const { algorithm, limit, windowMs } = traffic;
  const tripMs = roundTripMs(traffic);
  const holdMs = Math.max(defaultLeaseMs(windowMs), useTimeMs(tripMs));
  switch (algorithm) {
    case "fixed-window":
      return { algorithm, limit, windowMs };
    case "sliding-window":
    case "sliding-log": {
      const slotMs = algorithm === "sliding-log" ? 0 : Math.ceil(windowMs / SLOTS_PER_WINDOW);
      return { algorithm, limit, windowMs: windowMs + slotMs + holdMs + tripMs };
    }
    case "token-bucket":
      return { algorithm, limit, windowMs, burst: Math.max(1, limit * (1 - holdMs / windowMs)) };
  }
}

/**
 * The demand of a fixed window that its store cannot count for it any more: the answers to the requests of the
 * last round trip arrive in the next window. Later demand beyond the limit takes the place of it.
 */
function displacedPerWindow(traffic: Traffic): number {
  const { algorithm, limit, windowMs, load } = traffic;
  if (algorithm !== "fixed-window") return 0;
  return limit * Math.max(0, (load * roundTripMs(traffic)) / windowMs - Math.max(0, load - 1));
}

/** All the leases that the proxies may hold together: what they hold is refused to others. */
export function leasedAtMost({ limit, shares }: Pick<Traffic, "limit" | "shares">): number {
  return shares.length * Math.floor(largestLease(limit, shares.length));
}

/** The stated bound: the most that may be admitted less than allowed, in an average window. */
export function boundPerWindow(
  traffic: Traffic,
  { allowed, bounded }: { readonly allowed: number; readonly bounded: number },
  windows: number,
): number {
  return leasedAtMost(traffic) + displacedPerWindow(traffic) + Math.max(0, allowed - bounded) / windows;
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Effects of `beyond` on one request, by quota. */
export const BEYOND_EFFECTS = ["queued", "timed out", "drawn", "degraded"] as const;

/**
 * `queued`: the request waited and was then charged. `timed out`: it waited in vain. `drawn`: another policy
 * was charged. `degraded`: nothing was charged, and the request was routed anew.
 */
export type BeyondEffect = (typeof BEYOND_EFFECTS)[number];

export interface BeyondEvent {
  /** Display name of the policy whose limit was reached. */
  readonly policy: string;
  readonly effect: BeyondEffect;
  /** With `drawn`: display name of the policy that was charged instead. */
  readonly from?: string;
}

/** The event as `quota.beyond` lists it: `reviews-per-user: drawn from team-credit`. */
export function textOfEvent({ policy, effect, from }: BeyondEvent): string {
  return from === undefined ? `${policy}: ${effect}` : `${policy}: ${effect} from ${from}`;
}

/** The event of a text; undefined for any other text. */
export function parseEvent(text: string): BeyondEvent | undefined {
  const colon = text.indexOf(": ");
  if (colon < 1) return undefined;
  const policy = text.slice(0, colon);
  const said = text.slice(colon + 2);
  if (said.startsWith(DRAWN_FROM) && said.length > DRAWN_FROM.length)
    return { policy, effect: "drawn", from: said.slice(DRAWN_FROM.length) };
  const effect = BEYOND_EFFECTS.find((one) => one === said && one !== "drawn");
  return effect === undefined ? undefined : { policy, effect };
}

const DRAWN_FROM = "drawn from ";

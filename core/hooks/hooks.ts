// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { AsyncSeriesBailHook, AsyncSeriesHook, HookMap } from "tapable";
import type { AttributeBag, AttributeValue } from "../attributes/bag.ts";
import type { CheckAnswer } from "../templates/instances.ts";

/**
 * The places where a plugin steps in. Every handler of a plugin has hooks of its own, made anew for each snapshot:
 * tapable cannot untap, so a set of hooks is thrown away whole and never changed in flight.
 */
export interface HandlerHooks {
  /**
   * Before anything is decided: attributes to add to the bag. Taps run in order and receive the bag as the earlier ones
   * left it; what they return is added, never replaces. A tap that throws is left out and counted.
   */
  readonly attributes: AsyncSeriesBailHook<[AttributeBag], AttributeAdditions | undefined>;
  /**
   * A Rule's instance of a check template, by template name. The first answer counts. A tap that throws makes the
   * Rule's onError decide.
   */
  readonly check: HookMap<AsyncSeriesBailHook<[instance: unknown], CheckAnswer | undefined>>;
  /** After a request was reported; for plugins that watch. A tap that throws is counted and hurts nobody. */
  readonly reported: AsyncSeriesHook<[AttributeBag]>;
}

/** Attributes by dotted name; each must be declared in a manifest. */
export type AttributeAdditions = Readonly<Record<string, AttributeValue>>;

export function createHandlerHooks(): HandlerHooks {
  return {
    attributes: new AsyncSeriesBailHook(["bag"]),
    check: new HookMap((template) => new AsyncSeriesBailHook(["instance"], template)),
    reported: new AsyncSeriesHook(["bag"]),
  };
}

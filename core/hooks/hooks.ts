// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { AsyncSeriesBailHook, AsyncSeriesHook, HookMap } from "tapable";
import type { AttributeBag, AttributeValue } from "../attributes/bag.ts";
import type { CheckAnswer } from "../templates/instances.ts";

/**
 * The hooks that a plugin taps. Each handler of a plugin has its own hooks, created anew for each snapshot:
 * tapable cannot untap, so a set of hooks is replaced and never changed in flight.
 */
export interface HandlerHooks {
  /**
   * Before the decision: adds attributes to the bag. Taps run in order and receive the bag with earlier
   * additions; a returned attribute is added and never replaces another. A tap that throws is skipped and
   * counted.
   */
  readonly attributes: AsyncSeriesBailHook<[AttributeBag], AttributeAdditions | undefined>;
  /**
   * Answers a Rule's instance of a check template, by template name. The first answer counts. When a tap
   * throws, the Rule's onError decides.
   */
  readonly check: HookMap<AsyncSeriesBailHook<[instance: unknown], CheckAnswer | undefined>>;
  /**
   * After a request was reported; for plugins that observe. A tap that throws is counted and has no other
   * effect.
   */
  readonly reported: AsyncSeriesHook<[AttributeBag]>;
}

/**
 * Attributes by dotted name. Each must be declared, in the plugin's `provides` or in an AttributeManifest, and have the declared
 * type: the host leaves out others and counts them.
 */
export type AttributeAdditions = Readonly<Record<string, AttributeValue>>;

export function createHandlerHooks(): HandlerHooks {
  return {
    attributes: new AsyncSeriesBailHook(["bag"]),
    check: new HookMap((template) => new AsyncSeriesBailHook(["instance"], template)),
    reported: new AsyncSeriesHook(["bag"]),
  };
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { TemplateName } from "../hooks/extension.ts";
import type { AttributeAdditions } from "../hooks/hooks.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { CheckAnswer } from "../templates/instances.ts";
import type { DocumentRef } from "./document-ref.ts";
import type { Fault } from "./evaluation.ts";
import type { CheckInstance } from "./instances.ts";

/** What a check is decided with, besides its documents. */
export interface CheckContext {
  /** The time of the request, in milliseconds since the epoch: what $now() gives. */
  readonly nowMs: number;
  readonly dispatch: CheckDispatch;
  readonly observer?: CheckObserver;
}

/** The handlers, as far as a check knows them. Bounding the time of each call is theirs to do. */
export interface CheckDispatch {
  /** In the order of their documents; empty when no plugin adds attributes. */
  readonly attributeSources: readonly AttributeSource[];
  /**
   * Hands an instance of a check template to a handler; undefined when the handler has nothing to say.
   * Throwing or rejecting makes the Rule's onError decide.
   */
  ask(
    handler: string,
    template: TemplateName,
    instance: CheckInstance,
  ): MaybePromise<CheckAnswer | undefined>;
}

export interface AttributeSource {
  /** The Handler document. */
  readonly ref: DocumentRef;
  /** What it adds to this bag. Throwing or rejecting leaves it out. */
  add(bag: AttributeBag): MaybePromise<AttributeAdditions | undefined>;
}

/** Told of each step of a decision as it is taken; for metrics, logs and explanations. Must not throw. */
export interface CheckObserver {
  /** Once for each document that was evaluated, in order. */
  readonly outcome: (document: DocumentRef, outcome: DocumentOutcome) => void;
  /** Each failure met on the way, whether or not it came to matter. */
  readonly fault: (document: DocumentRef, fault: Fault) => void;
}

/**
 * What one document said: `unmatched`: it does not govern this request; `refused`: a DENY that is true, a Rule whose
 * handler says no; `withheld`: an ALLOW that is not true; `noted`: an AUDIT that is true; `charged`: a quota that
 * counts it; `fault`: it could not be decided; `passed`: anything else.
 */
export type DocumentOutcome = "unmatched" | "passed" | "withheld" | "refused" | "noted" | "charged" | "fault";

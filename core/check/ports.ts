// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RefusedAttribute } from "../attributes/added-attributes.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import type { AttributeManifest } from "../../expressions/manifest/manifest.ts";
import type { TemplateName } from "../templates/template-names.ts";
import type { AttributeAdditions } from "../hooks/hooks.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { CheckAnswer } from "../templates/instances.ts";
import type { DocumentRef } from "./document-ref.ts";
import type { Fault } from "./evaluation.ts";
import type { CheckInstance } from "./instances.ts";

/** Inputs of a check besides its documents. */
export interface CheckContext {
  /** Time of the request, in milliseconds since the epoch; the value of $now(). */
  readonly nowMs: number;
  readonly dispatch: CheckDispatch;
  readonly observer?: CheckObserver;
}

/** Access to handlers during a check. The implementation bounds the time of each call. */
export interface CheckDispatch {
  /** Sources in document order; empty when no plugin adds attributes. */
  readonly attributeSources: readonly AttributeSource[];
  /**
   * Passes an instance of a check template to a handler; undefined when the handler does not answer. If it
   * throws or rejects, the Rule's onError decides.
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
  /** The declarations of all attributes of the set. */
  readonly manifest: AttributeManifest;
  /**
   * The attributes to add to this bag. A source that throws or rejects is skipped; an attribute that the manifest does not
   * declare, or whose value has another type, is left out.
   */
  add(bag: AttributeBag): MaybePromise<AttributeAdditions | undefined>;
}

/** Called for each step of a decision; for metrics, logs and explanations. Must not throw. */
export interface CheckObserver {
  /** Called once for each evaluated document, in order. */
  readonly outcome: (document: DocumentRef, outcome: DocumentOutcome) => void;
  /** Called for each fault, whether or not it affects the decision. */
  readonly fault: (document: DocumentRef, fault: Fault) => void;
  /** Called for each attribute of a plugin that was left out; the document is the plugin's Handler. */
  readonly attributeRefused?: (document: DocumentRef, refused: RefusedAttribute) => void;
}

/**
 * The result of one document:
 * - `unmatched`: it does not match the request.
 * - `refused`: a DENY that is true, or a Rule whose handler refuses.
 * - `withheld`: an ALLOW that is not true.
 * - `noted`: an AUDIT that is true.
 * - `charged`: a quota to charge.
 * - `fault`: it could not be evaluated.
 * - `passed`: any other result.
 */
export type DocumentOutcome = "unmatched" | "passed" | "withheld" | "refused" | "noted" | "charged" | "fault";

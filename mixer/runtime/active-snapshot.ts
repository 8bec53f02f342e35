// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { RefCounted } from "../../kernel/ref-counted.ts";
import { formatDocumentRef } from "../../core/check/document-ref.ts";
import { planChecks, type CheckPlan } from "../../core/check/plan.ts";
import type { CheckDispatch, CheckObserver } from "../../core/check/ports.ts";
import { planReports } from "../../core/report/plan.ts";
import type { ReportPlan } from "../../core/report/report-source.ts";
import { displayName } from "../../core/documents/kinds/kind.ts";
import type { PolicyDocument } from "../../core/snapshot/policy-document.ts";
import type { QuotaPolicy, Snapshot } from "../../core/snapshot/snapshot.ts";
import type { HandlerTable } from "./handlers/handler-table.ts";
import type { HandlerHooks } from "../../core/hooks/hooks.ts";
import type { Handler } from "./handlers/handler.ts";
import { policyDocumentsOf } from "./policy-state.ts";
import type { FindStore } from "./quota/quota-stores.ts";

export type GenerationParts = Pick<Generation, "snapshot" | "table" | "dispatch" | "findStore" | "observer">;

/** A snapshot at work with its handlers. Requests keep the one they began with: it ends when the last of them is over. */
export class Generation extends RefCounted {
  readonly snapshot: Snapshot;
  readonly table: HandlerTable;
  readonly checkPlan: CheckPlan;
  readonly reportPlan: ReportPlan;
  readonly dispatch: CheckDispatch;
  readonly policies: readonly PolicyDocument[];
  readonly quotaPolicies: ReadonlyMap<string, QuotaPolicy>;
  /** As `Kind/name`, what reports may speak of. */
  readonly documents: ReadonlySet<string>;
  readonly findStore: FindStore;
  readonly observer: CheckObserver;
  /** The plugins that want to see what is reported. */
  readonly watchers: readonly { readonly handler: Handler; readonly hooks: HandlerHooks }[];

  /** @param onUnused Called once it is replaced and no request needs it any more. */
  constructor({ snapshot, table, dispatch, findStore, observer }: GenerationParts, onUnused: () => void) {
    super(onUnused);
    this.snapshot = snapshot;
    this.table = table;
    this.dispatch = dispatch;
    this.findStore = findStore;
    this.observer = observer;
    this.watchers = [...table.entries.values()].flatMap(({ handler, hooks }) =>
      hooks?.reported.isUsed() === true ? [{ handler, hooks }] : [],
    );
    this.checkPlan = planChecks(snapshot);
    this.reportPlan = planReports(snapshot);
    this.policies = policyDocumentsOf(this.checkPlan);
    this.documents = new Set(
      snapshot.documents.map((document) =>
        formatDocumentRef({ kind: document.kind, name: displayName(document) }),
      ),
    );
    this.quotaPolicies = new Map(snapshot.quotaPolicies.map((policy) => [policy.name, policy]));
  }
}

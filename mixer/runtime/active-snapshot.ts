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
import type { DeliveryPort } from "../../delivery/port.ts";
import type { HandlerTable } from "./handlers/handler-table.ts";
import type { HandlerHooks } from "../../core/hooks/hooks.ts";
import type { Handler } from "./handlers/handler.ts";
import { policyDocumentsOf } from "./policy-state.ts";
import type { FindStore } from "./quota/quota-stores.ts";

export type ActiveSnapshotParts = Pick<
  ActiveSnapshot,
  "snapshot" | "table" | "dispatch" | "findStore" | "observer"
>;

/**
 * A snapshot with its handlers. A request holds the snapshot that it began with; a replaced snapshot ends
 * after its last request.
 */
export class ActiveSnapshot extends RefCounted {
  readonly snapshot: Snapshot;
  readonly table: HandlerTable;
  readonly checkPlan: CheckPlan;
  readonly reportPlan: ReportPlan;
  /** The queues that take the instances of each source of `reportPlan`, by the source's index. */
  readonly reportQueues: readonly (readonly DeliveryPort<unknown>[])[];
  /** The queues that outlive the process: a report is acknowledged when its instances are on disk. */
  readonly durableQueues: readonly DeliveryPort<unknown>[];
  readonly dispatch: CheckDispatch;
  readonly policies: readonly PolicyDocument[];
  readonly quotaPolicies: ReadonlyMap<string, QuotaPolicy>;
  /** The documents that reports may name, as `Kind/name`. */
  readonly documents: ReadonlySet<string>;
  readonly findStore: FindStore;
  readonly observer: CheckObserver;
  /** Plugins that tap reported bags. */
  readonly watchers: readonly { readonly handler: Handler; readonly hooks: HandlerHooks }[];

  /** @param onUnused Called once, when the snapshot is replaced and no request holds it. */
  constructor({ snapshot, table, dispatch, findStore, observer }: ActiveSnapshotParts, onUnused: () => void) {
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
    this.reportQueues = this.reportPlan.sources.map(({ handlers, template }) =>
      handlers.flatMap((name) => table.entries.get(name)?.handler.deliveries.get(template) ?? []),
    );
    this.durableQueues = [...table.entries.values()].flatMap(({ handler }) =>
      handler.declaration.delivery.class === "at-least-once" ? [...handler.deliveries.values()] : [],
    );
    this.policies = policyDocumentsOf(this.checkPlan);
    this.documents = new Set(
      snapshot.documents.map((document) =>
        formatDocumentRef({ kind: document.kind, name: displayName(document) }),
      ),
    );
    this.quotaPolicies = new Map(snapshot.quotaPolicies.map((policy) => [policy.name, policy]));
  }
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, Gauge, Registry } from "prom-client";
import type { LongPolls } from "../../server/http/long-polls.ts";
import { addProcessMetrics } from "../../server/process-metrics.ts";
import type { Identity } from "../identity.ts";

/** The identity service's own series, read from it at each scrape. */
export function createIdentityMetrics(identity: Identity, polls: LongPolls): Registry {
  const registry = new Registry();
  const registers = [registry];
  addProcessMetrics(registry);
  new Counter({
    name: "purser_identity_certificates_issued_total",
    help: "Certificates issued to workloads, by how: join or renewal.",
    labelNames: ["how"],
    registers,
    collect() {
      this.reset();
      this.inc({ how: "join" }, identity.issuance.counts.joins);
      this.inc({ how: "renewal" }, identity.issuance.counts.renewals);
    },
  });
  new Counter({
    name: "purser_identity_requests_refused_total",
    help: "Requests for certificates that were refused.",
    registers,
    collect() {
      this.reset();
      this.inc(identity.issuance.counts.refusals);
    },
  });
  new Gauge({
    name: "purser_identity_live_certificates",
    help: "Certificates of workloads that have not ended.",
    registers,
    collect() {
      this.set(identity.liveCertificates);
    },
  });
  new Gauge({
    name: "purser_identity_authority_expiry_timestamp_seconds",
    help: "Unix time at which the certificate that signs, or one above it, ends.",
    registers,
    collect() {
      this.set(identity.authorityNotAfterMs / 1_000);
    },
  });
  new Gauge({
    name: "purser_identity_revoked_identities",
    help: "Workload identities that are revoked.",
    registers,
    collect() {
      this.set(identity.trust.revokedIds.length);
    },
  });
  new Gauge({
    name: "purser_identity_rotation_under_way",
    help: "1 while the root is rotated.",
    registers,
    collect() {
      this.set(identity.isRotating ? 1 : 0);
    },
  });
  new Gauge({
    name: "purser_identity_polls_held",
    help: "Requests of proxies that wait for a change of the trust bundle or of revocations now.",
    registers,
    collect() {
      this.set(polls.heldCount);
    },
  });
  return registry;
}

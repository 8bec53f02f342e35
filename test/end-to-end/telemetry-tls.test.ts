// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { type Authority, createAuthority } from "../support/certificates.ts";
import { type Collector, COLLECTOR_BUILD_MS, startCollector } from "../support/collector.ts";
import { eventually } from "../support/eventually.ts";
import { startMesh } from "../support/mesh-program.ts";

const PROTOCOLS = ["http/protobuf", "grpc"] as const;
type Protocol = (typeof PROTOCOLS)[number];

const documentsFor = (
  protocol: Protocol,
  { httpUrl, grpcUrl }: Collector,
): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: otel }
spec:
  adapter: opentelemetry
  config: { endpoint: "${protocol === "grpc" ? grpcUrl : httpUrl}", protocol: ${protocol} }
  delivery: { linger: 10ms }
---
kind: LogEntry
metadata: { name: access }
spec: { variables: { path: request.url_path }, handlers: [otel] }
`;

/** The part of an answer of `GET /v1/handlers` that the tests read. */
interface Queue {
  readonly delivered: number;
  readonly waiting: number;
  readonly retried: number;
  readonly lastError?: { readonly message: string };
}

describe("telemetry of the built program to a collector with TLS", function () {
  this.timeout(60_000);
  let authority: Authority;
  let other: Authority;
  let collector: Collector;

  before(async function () {
    this.timeout(COLLECTOR_BUILD_MS + 60_000);
    [authority, other] = [createAuthority(this), createAuthority(this)];
    collector = await startCollector(this, { keyFile: authority.sign("server").keyAndCertFile });
  });
  after(async () => {
    await collector?.stop();
    for (const each of [authority, other]) each?.remove();
  });

  /** Runs a mesh that trusts the authority, sends one request, and calls `check` with the queue until it holds. */
  async function runWith(
    protocol: Protocol,
    trusted: Authority,
    check: (queue: Queue) => void,
  ): Promise<void> {
    const environment = {
      NODE_EXTRA_CA_CERTS: trusted.certFile,
      // @grpc/grpc-js would trust the authorities of this file alone.
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: "",
    };
    const mesh = await startMesh(documentsFor(protocol, collector), { environment });
    try {
      await eventually(async () => {
        const { statusCode, body } = await request(`${mesh.edge}/books`, { headers: { host: "shop" } });
        await body.dump();
        assert.equal(statusCode, 200);
      });
      await eventually(async () => {
        const { body } = await request(`${mesh.mixer}/v1/handlers`);
        const { handlers } = (await body.json()) as { handlers: { name: string; queues: Queue[] }[] };
        const queues = handlers.flatMap(({ name, queues: own }) => (name === "otel" ? own : []));
        check(queues.find(({ delivered, waiting }) => delivered + waiting > 0) as Queue);
      });
    } finally {
      await mesh.stop();
    }
  }

  for (const protocol of PROTOCOLS) {
    it(`arrives by ${protocol} with a certificate of a trusted authority`, async () => {
      const from = collector.received.length;
      await runWith(protocol, authority, ({ delivered, retried }) =>
        assert.deepEqual([delivered, retried], [1, 0]),
      );
      assert.equal(collector.received.length, from + 1);
    });

    it(`stays in the queue by ${protocol} with another certificate, and the error says so`, async () => {
      const from = collector.received.length;
      await runWith(protocol, other, ({ delivered, waiting, lastError }) => {
        assert.deepEqual([delivered, waiting], [0, 1]);
        assert.match(lastError?.message ?? "", /unable to (verify|get)|certificate/);
      });
      assert.equal(collector.received.length, from);
    });
  }
});

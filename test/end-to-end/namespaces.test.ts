// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { freePort } from "../../bench/machine/free-port.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { istioDocument } from "../support/traffic-documents.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const REVIEWS = "reviews.shop.svc.cluster.local";
const SECRETS = "secrets.shop.svc.cluster.local";

describe("sidecars of two namespaces, in processes of their own", function () {
  this.timeout(60_000);
  const programs: Program[] = [];
  let folder: MeshFolder;
  let upstream: Upstream;
  let shop: string;
  let office: string;

  const service = (host: string, more: object) =>
    istioDocument(
      "ServiceEntry",
      { name: host, namespace: "shop" },
      { hosts: [host], ports: [{ number: 80, name: "http", protocol: "HTTP" }], ...more },
    );

  before(async () => {
    upstream = await startUpstream();
    const port = { ports: { http: upstream.port } };
    folder = meshFolder({
      "services.yaml":
        service(REVIEWS, { resolution: "STATIC", workloadSelector: { labels: { app: "reviews" } } }) +
        istioDocument(
          "WorkloadEntry",
          { name: "vm-1", namespace: "shop", labels: { app: "reviews" } },
          { address: "127.0.0.1", ...port },
        ) +
        service(SECRETS, {
          resolution: "DNS",
          endpoints: [{ address: "localhost", ...port }],
          exportTo: ["."],
        }),
      "policies.yaml":
        "apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: none }\nspec: { action: DENY, when: 'request.path = \"/no\"' }\n",
    });
    const [mixerPort, pilotPort] = [await freePort(), await freePort()];
    const mixer = purser("mixer", "-c", folder.path, `--mixer-port=${mixerPort}`);
    const pilot = purser("pilot", "-c", folder.path, `--pilot-port=${pilotPort}`);
    programs.push(mixer, pilot);
    const sidecarIn = async (namespace: string): Promise<string> => {
      const sidecar = purser(
        "proxy",
        "--role=sidecar",
        "--service=caller",
        `--namespace=${namespace}`,
        "--label=app=caller",
        "--outbound-port=0",
        "--admin-port=0",
        `--mixer=http://127.0.0.1:${mixerPort}`,
        `--pilot=http://127.0.0.1:${pilotPort}`,
      );
      programs.push(sidecar);
      return (await sidecar.until(/listening on (http:\S+)/))[1] as string;
    };
    [shop, office] = await Promise.all([sidecarIn("shop"), sidecarIn("office")]);
  });

  after(async () => {
    for (const program of programs) await program.stop("SIGKILL");
    folder?.remove();
    await upstream?.close();
  });

  const statusOf = async (sidecar: string, host: string): Promise<number> => {
    const { statusCode, body } = await request(`${sidecar}/`, { headers: { host } });
    await body.dump();
    return statusCode;
  };

  it("share a service of a WorkloadEntry, and not one that is exported to its namespace alone", async () => {
    for (const sidecar of [shop, office])
      await eventually(async () => assert.equal(await statusOf(sidecar, REVIEWS), 200));
    assert.equal(await statusOf(shop, SECRETS), 200);
    assert.equal(await statusOf(office, SECRETS), 404);
  });

  it("lose what a Sidecar of their namespace does not import", async () => {
    folder.write(
      "sidecar.yaml",
      istioDocument(
        "Sidecar",
        { name: "caller", namespace: "office" },
        { workloadSelector: { labels: { app: "caller" } }, egress: [{ hosts: ["~/*"] }] },
      ),
    );
    await eventually(async () => assert.equal(await statusOf(office, REVIEWS), 404));
    assert.equal(await statusOf(shop, REVIEWS), 200);
  });
});

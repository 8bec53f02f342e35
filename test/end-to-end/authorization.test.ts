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

const HOST = "reviews.shop.svc.cluster.local";

const policy = (name: string, namespace: string, spec: object): string =>
  istioDocument("AuthorizationPolicy", { name, namespace }, spec).replace(
    "networking.istio.io/v1",
    "security.istio.io/v1",
  );

const to = (operation: object) => [{ to: [{ operation }] }];

describe("AuthorizationPolicies before an edge and a sidecar, in processes of their own", function () {
  this.timeout(60_000);
  const programs: Program[] = [];
  let folder: MeshFolder;
  let upstream: Upstream;
  let edge: string;
  let sidecar: string;

  before(async () => {
    upstream = await startUpstream();
    const [mixerPort, pilotPort, inbound] = [await freePort(), await freePort(), await freePort()];
    folder = meshFolder({
      "services.yaml": istioDocument(
        "ServiceEntry",
        { name: "reviews", namespace: "shop" },
        {
          hosts: [HOST],
          ports: [{ number: 80, name: "http", protocol: "HTTP" }],
          location: "MESH_INTERNAL",
          resolution: "STATIC",
          endpoints: [
            {
              address: "127.0.0.1",
              ports: { http: inbound },
              labels: { app: "reviews", "purser.dev/sidecar": "true" },
            },
          ],
        },
      ),
      "policies.yaml":
        policy("edge", "istio-system", {
          selector: { matchLabels: { istio: "ingressgateway" } },
          action: "DENY",
          rules: to({ paths: ["/internal*"] }),
        }) +
        policy("reviews", "shop", {
          selector: { matchLabels: { app: "reviews" } },
          rules: to({ methods: ["GET"], ports: [String(upstream.port)] }),
        }),
    });
    const addresses = [`--mixer=http://127.0.0.1:${mixerPort}`, `--pilot=http://127.0.0.1:${pilotPort}`];
    const proxies = [
      purser("proxy", "--role=edge", "--edge-port=0", "--admin-port=0", ...addresses),
      purser(
        "proxy",
        "--role=sidecar",
        `--service=${HOST}`,
        "--label=app=reviews",
        `--app=127.0.0.1:${upstream.port}`,
        `--inbound-port=${inbound}`,
        "--outbound-port=0",
        "--admin-port=0",
        ...addresses,
      ),
    ];
    programs.push(
      purser("mixer", "-c", folder.path, `--mixer-port=${mixerPort}`),
      purser("pilot", "-c", folder.path, `--pilot-port=${pilotPort}`),
      ...proxies,
    );
    edge = (await proxies[0]?.until(/listening on (http:\S+)/))?.[1] as string;
    await proxies[1]?.until(/listening on/);
    sidecar = `http://127.0.0.1:${inbound}`;
  });

  after(async () => {
    for (const program of programs) await program.stop("SIGKILL");
    folder?.remove();
    await upstream?.close();
  });

  const answerOf = async (url: string, path: string, method: "GET" | "POST" = "GET") => {
    const { statusCode, headers, body } = await request(`${url}${path}`, { method, headers: { host: HOST } });
    await body.dump();
    return [statusCode, headers["x-purser-policy"]] as const;
  };

  it("are decided each where its workload is: the edge's at the edge, the service's at its sidecar", async () => {
    await eventually(async () => assert.deepEqual(await answerOf(edge, "/"), [200, undefined]));
    const byEdge = [403, "AuthorizationPolicy/istio-system/edge"];
    const byReviews = [403, "AuthorizationPolicy/shop/reviews"];
    assert.deepEqual(await answerOf(edge, "/internal/x"), byEdge);
    assert.deepEqual(await answerOf(edge, "/%69nternal"), byEdge);
    assert.deepEqual(await answerOf(edge, "/", "POST"), byReviews);
    assert.deepEqual(await answerOf(sidecar, "/internal/x"), [200, undefined]);
    assert.deepEqual(await answerOf(sidecar, "/", "POST"), byReviews);
  });

  it("are replaced without a restart", async () => {
    folder.write("policies.yaml", policy("all", "shop", {}));
    await eventually(async () =>
      assert.deepEqual(await answerOf(sidecar, "/"), [403, "AuthorizationPolicy/shop/all"]),
    );
    await eventually(async () =>
      assert.deepEqual(await answerOf(edge, "/internal/x"), [403, "AuthorizationPolicy/shop/all"]),
    );
  });
});

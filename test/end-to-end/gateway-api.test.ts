// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { freePort } from "../../bench/machine/free-port.ts";
import { document, to } from "../support/gateway-api.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const run = promisify(execFile);

/** A Service with one endpoint on loopback. */
function service(name: string, namespace: string, port: number): string {
  const documents = [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace },
      spec: { ports: [{ name: "http", port: 80 }] },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name, namespace, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "http", port }],
      endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
    },
  ];
  return documents.map((each) => `${JSON.stringify(each)}\n---\n`).join("");
}

const prefix = (value: string) => [{ path: { type: "PathPrefix", value } }];

describe("documents of the Gateway API in the built program", function () {
  this.timeout(60_000);
  const upstreams: Upstream[] = [];
  let folder: MeshFolder;
  let program: Program;
  let port: number;

  /** Answers `NAME PATH`. */
  const answering = async (name: string): Promise<number> => {
    const upstream = await startUpstream((incoming, response) => {
      incoming.resume();
      response.end(`${name} ${incoming.url}`);
    });
    upstreams.push(upstream);
    return upstream.port;
  };

  const curl = async (path: string) => {
    const format = "\n%{http_code} %{redirect_url}";
    const args = [
      "-s",
      "-m",
      "5",
      "-w",
      format,
      "-H",
      "Host: shop.example.com",
      `http://127.0.0.1:${port}${path}`,
    ];
    const { stdout } = await run("curl", args);
    const end = stdout.lastIndexOf("\n");
    const [status, location] = stdout.slice(end + 1).split(" ");
    return { status, location, body: stdout.slice(0, end) };
  };

  before(async () => {
    port = await freePort();
    folder = meshFolder({
      "services.yaml":
        service("one", "default", await answering("one")) +
        service("two", "default", await answering("two")) +
        service("granted", "shop", await answering("granted")) +
        service("secret", "shop", await answering("secret")),
      "routes.yaml":
        document("GatewayClass", "purser", { controllerName: "purser.dev/edge" }) +
        document("Gateway", "public", {
          gatewayClassName: "purser",
          listeners: [{ name: "http", port, protocol: "HTTP", hostname: "*.example.com" }],
        }) +
        document("HTTPRoute", "shop", {
          parentRefs: [{ name: "public", sectionName: "http" }],
          hostnames: ["shop.example.com"],
          rules: [
            { backendRefs: [to("one", { weight: 1 }), to("two", { weight: 1 })] },
            {
              matches: prefix("/old"),
              filters: [
                {
                  type: "RequestRedirect",
                  requestRedirect: {
                    path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/new" },
                    statusCode: 308,
                  },
                },
              ],
            },
            {
              matches: prefix("/rewrite"),
              filters: [
                {
                  type: "URLRewrite",
                  urlRewrite: { path: { type: "ReplacePrefixMatch", replacePrefixMatch: "/" } },
                },
              ],
              backendRefs: [to("one")],
            },
            { matches: prefix("/granted"), backendRefs: [to("granted", { namespace: "shop" })] },
            { matches: prefix("/secret"), backendRefs: [to("secret", { namespace: "shop" })] },
            { matches: prefix("/half"), backendRefs: [to("one"), to("secret", { namespace: "shop" })] },
          ],
        }) +
        document(
          "ReferenceGrant",
          { name: "to-granted", namespace: "shop" },
          {
            from: [{ group: "gateway.networking.k8s.io", kind: "HTTPRoute", namespace: "default" }],
            to: [{ group: "", kind: "Service", name: "granted" }],
          },
        ),
    });
    program = purser("run", "-c", folder.path, "--mixer-port=0", "--pilot-port=0", "--admin-port=0");
    await program.until(/Policies/);
  });

  after(async () => {
    await program.stop("SIGKILL");
    await Promise.all(upstreams.map((upstream) => upstream.close()));
    folder.remove();
  });

  it("divide requests by weight", async () => {
    const counts = new Map<string, number>();
    for (let count = 0; count < 60; count++) {
      const { body } = await curl("/x");
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }
    assert.deepEqual([...counts.keys()].toSorted(), ["one /x", "two /x"]);
    // 60 draws of 50 % are outside of 10 to 50 in one of two million runs.
    assert.ok((counts.get("one /x") ?? 0) >= 10 && (counts.get("two /x") ?? 0) >= 10);
  });

  it("redirect and rewrite a prefix of whole segments", async () => {
    for (const [path, location] of [
      ["/old", "/new"],
      ["/old/a?b=c", "/new/a?b=c"],
    ] as const) {
      const answer = await curl(path);
      assert.equal(answer.status, "308");
      assert.equal(answer.location, `http://shop.example.com:${port}${location}`);
    }
    assert.equal((await curl("/older")).status, "200");
    assert.equal((await curl("/rewrite")).body, "one /");
    assert.equal((await curl("/rewrite/a/b?c")).body, "one /a/b?c");
  });

  it("reach another namespace by a grant alone, and answer 500 for the share without one", async () => {
    assert.deepEqual(await curl("/granted"), { status: "200", location: "", body: "granted /granted" });
    assert.equal((await curl("/secret")).status, "500");
    const statuses = new Map<string, number>();
    for (let count = 0; count < 60; count++) {
      const { status = "", body } = await curl("/half");
      assert.doesNotMatch(body, /^secret/);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    assert.deepEqual([...statuses.keys()].toSorted(), ["200", "500"]);
    const log = program.output() + program.errors();
    assert.match(log, /No ReferenceGrant in shop permits the Service secret to HTTPRoutes of default/);
  });
});

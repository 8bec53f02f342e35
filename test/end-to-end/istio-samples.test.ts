// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { freePort } from "../../bench/machine/free-port.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { istioDocument } from "../support/traffic-documents.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const sample = (name: string) =>
  readFileSync(new URL(`../istio/samples/bookinfo/${name}`, import.meta.url), "utf8");

const run = promisify(execFile);

/** A Pod of a version, and the slice with its port: loopback has one address for all of them. */
function endpoint(app: string, version: string, port: number): string {
  const name = `${app}-${version}-0`;
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, labels: { app, version }, uid: "x" },
    spec: { serviceAccountName: `bookinfo-${app}` },
    status: { phase: "Running", podIP: "127.0.0.1", conditions: [{ type: "Ready", status: "True" }] },
  };
  const slice = {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, labels: { "kubernetes.io/service-name": app } },
    addressType: "IPv4",
    ports: [{ name: "http", port }],
    endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true }, targetRef: { kind: "Pod", name } }],
  };
  return [pod, slice].map((document) => `${JSON.stringify(document)}\n---\n`).join("");
}

describe("bookinfo's samples with a small file of endpoints", function () {
  this.timeout(60_000);
  const upstreams: Upstream[] = [];
  let folder: MeshFolder;
  let program: Program;
  let gateway: string;

  const answering = async (text: string): Promise<number> => {
    const upstream = await startUpstream((incoming, response) => {
      incoming.resume();
      response.end(text);
    });
    upstreams.push(upstream);
    return upstream.port;
  };

  const curl = async (
    path: string,
    host: string,
  ): Promise<{ readonly status: string; readonly body: string }> => {
    const args = ["-s", "-m", "5", "-w", "\n%{http_code}", "-H", `Host: ${host}`, gateway + path];
    const { stdout } = await run("curl", args);
    const end = stdout.lastIndexOf("\n");
    return { status: stdout.slice(end + 1), body: stdout.slice(0, end) };
  };

  before(async () => {
    const port = await freePort();
    gateway = `http://127.0.0.1:${port}`;
    const versions = ["v1", "v2", "v3"];
    const reviews = await Promise.all(versions.map((version) => answering(`reviews ${version}`)));
    const split = istioDocument(
      "VirtualService",
      { name: "reviews-outside" },
      {
        hosts: ["reviews.example.com"],
        gateways: ["bookinfo-gateway"],
        http: [
          { match: [{ uri: { prefix: "/late" } }], route: [{ destination: { host: "late" } }] },
          {
            route: versions.map((subset, index) => ({
              destination: { host: "reviews", subset },
              weight: [50, 30, 20][index],
            })),
          },
        ],
      },
    );
    folder = meshFolder({
      "platform.yaml": sample("platform-bookinfo.yaml"),
      "rules.yaml": sample("destination-rule-all.yaml"),
      "routes.yaml": sample("virtual-service-reviews-test-v2.yaml"),
      // The port alone is another: a test takes a free one.
      "gateway.yaml": sample("bookinfo-gateway.yaml").replace("number: 8080", `number: ${port}`),
      "split.yaml": split,
      "endpoints.yaml":
        endpoint("productpage", "v1", await answering("productpage")) +
        versions.map((version, index) => endpoint("reviews", version, reviews[index] as number)).join(""),
    });
    program = purser(
      "run",
      "-c",
      folder.path,
      "--skip-foreign",
      "--mixer-port=0",
      "--pilot-port=0",
      "--admin-port=0",
    );
    await program.until(/Policies/);
  });

  after(async () => {
    await program.stop("SIGKILL");
    await Promise.all(upstreams.map((upstream) => upstream.close()));
    folder.remove();
  });

  it("serves the product page through the gateway", async () => {
    assert.deepEqual(await curl("/productpage", "bookinfo.example.com"), {
      status: "200",
      body: "productpage",
    });
    assert.equal((await curl("/other", "bookinfo.example.com")).status, "404");
  });

  it("divides requests among the versions by the Pods' labels", async () => {
    const counts = new Map<string, number>();
    for (let count = 0; count < 100; count++) {
      const { body } = await curl("/", "reviews.example.com");
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }
    assert.deepEqual([...counts.keys()].toSorted(), ["reviews v1", "reviews v2", "reviews v3"]);
    // 100 draws of 50 % are beyond 25 to 75 in one of two million runs.
    const first = counts.get("reviews v1") ?? 0;
    assert.ok(first >= 25 && first <= 75, `${first}`);
  });

  it("says which documents were skipped and what is missing", () => {
    const log = program.output() + program.errors();
    assert.match(log, /Skipped the Deployment reviews-v1 of/);
    assert.match(log, /No Service and no ServiceEntry has the host \\?"late\\?"/);
  });

  it("answers 503 for a service that is not declared, until its documents come", async () => {
    const missing = await curl("/late", "reviews.example.com");
    assert.equal(missing.status, "503");
    assert.match(missing.body, /PURSER_PROXY_NO_CLUSTER/);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "late" },
      spec: { ports: [{ name: "http", port: 80 }] },
    };
    folder.write("late-service.yaml", JSON.stringify(service));
    await eventually(async () => {
      const { status, body } = await curl("/late", "reviews.example.com");
      assert.equal(status, "503");
      assert.match(body, /PURSER_PROXY_NO_ENDPOINT/);
    });
    folder.write("late-slice.yaml", endpoint("late", "v1", await answering("here now")));
    await eventually(async () =>
      assert.deepEqual(await curl("/late", "reviews.example.com"), { status: "200", body: "here now" }),
    );
  });
});

describe("purser validate on what kubectl prints", function () {
  this.timeout(30_000);

  const validate = async (text: string, ...flags: string[]) => {
    const folder = meshFolder({ "mesh.yaml": text });
    try {
      const program = purser("validate", folder.path, ...flags);
      const code = await program.ended();
      return { code, output: program.output() };
    } finally {
      folder.remove();
    }
  };

  it("warns of an unknown service, and refuses it with --strict", async () => {
    const text = sample("virtual-service-reviews-v3.yaml").replaceAll("host: reviews", "host: reviewz");
    const loose = await validate(text + "---\n" + sample("platform-bookinfo.yaml"), "--skip-foreign");
    assert.equal(loose.code, 0);
    assert.match(loose.output, /warning: .*"reviewz" \(did you mean "reviews"\?\)/);
    assert.match(loose.output, /0 errors, 1 warning\n$/);
    const strict = await validate(
      text + "---\n" + sample("platform-bookinfo.yaml"),
      "--skip-foreign",
      "--strict",
    );
    assert.equal(strict.code, 2);
    const json = await validate(text, "--format=json");
    assert.equal(json.code, 0);
    assert.equal((JSON.parse(json.output) as { severity: string }[])[0]?.severity, "warning");
  });

  it("writes one line for each skipped document, which no flag makes an error", async () => {
    const { code, output } = await validate(
      sample("platform-bookinfo.yaml"),
      "--skip-foreign",
      "--warnings-as-errors",
    );
    assert.equal(code, 0);
    assert.equal(output.split("\n").filter((line) => line.includes(": note: Skipped the ")).length, 8);
    assert.equal((await validate(sample("platform-bookinfo.yaml"))).code, 2);
  });
});

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { type SplitMesh, startSplitMesh } from "../support/split-mesh.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

// A mesh refuses traffic by roles, and by a list that another server keeps and changes.

const documents = (listUrl: string): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: who-may }
spec:
  adapter: rbac
  config:
    validDuration: 1s
    roles:
      reader: { rules: [{ methods: [GET], paths: ["/reviews/**"] }] }
      editor: { rules: [{ paths: ["/**"] }] }
    bindings:
      - { role: reader, subjects: [{ users: ["*@example.com"] }] }
      - { role: editor, subjects: [{ groups: [editors] }] }
---
kind: Rule
metadata: { name: roles }
spec:
  match: $exists(request.headers."x-user")
  instances:
    - name: who
      template: authorization
      params:
        subject: { user: 'request.headers."x-user"', groups: '$split(request.headers."x-groups", ",")' }
        action: { method: request.method, path: request.url_path }
  actions: [{ handler: who-may, instances: [who] }]
---
kind: Handler
metadata: { name: revoked }
spec:
  plugin: list
  config: { mode: deny, url: "${listUrl}", refresh: 1s, validDuration: 0s, status: { message: revoked } }
---
kind: Rule
metadata: { name: revoked-tokens }
spec:
  match: $exists(request.headers."x-token")
  instances: [{ name: token, template: listentry, params: { value: 'request.headers."x-token"' } }]
  actions: [{ handler: revoked, instances: [token] }]
`;

describe("handlers that refuse traffic", function () {
  this.timeout(60_000);
  let lists: Upstream;
  let entries: string | undefined;
  let mesh: SplitMesh;

  before(async () => {
    lists = await startUpstream((_request, response) => {
      if (entries === undefined) response.writeHead(503).end();
      else response.writeHead(200, { "content-type": "text/plain" }).end(entries);
    });
    mesh = await startSplitMesh({
      documents: documents(`http://127.0.0.1:${lists.port}/revoked`),
      mixers: 1,
      edges: 1,
    });
  });
  after(async () => {
    await mesh?.stop();
    await lists?.close();
  });

  const call = async (path: string, headers: Record<string, string>, method: "GET" | "POST" = "GET") => {
    const {
      statusCode,
      headers: given,
      body,
    } = await request(`${mesh.edges[0]}${path}`, {
      method,
      headers: { host: "shop", ...headers },
    });
    return { status: statusCode, policy: given["x-purser-policy"], text: await body.text() };
  };

  it("permit by roles what they permit, and nothing else", async () => {
    const ada = { "x-user": "ada@example.com" };
    assert.equal((await call("/reviews/0", ada)).status, 200);
    const refused = await call("/reviews/0", ada, "POST");
    assert.deepEqual([refused.status, refused.policy], [403, "Rule/roles"]);
    assert.match(refused.text, /no role permits this/);
    assert.equal((await call("/admin", ada)).status, 403);
    assert.equal((await call("/admin", { ...ada, "x-groups": "staff,editors" })).status, 200);
    assert.equal((await call("/admin", { ...ada, "x-groups": "staff" })).status, 403);
    assert.equal((await call("/reviews/0", { "x-user": "ada" })).status, 403);
    const { body } = await request(`${mesh.mixers[0]}/metrics`);
    assert.match(
      await body.text(),
      /purser_rbac_decisions_total\{handler="who-may",mode="enforced",decision="refused"\} [1-9]/,
    );
  });

  it("refuse by a list at a URL: an error before its first copy, then as the list changes", async () => {
    const unknown = await call("/", { "x-token": "t1" });
    assert.equal(unknown.status, 503);
    const expect = (token: string, status: number) =>
      eventually(async () => assert.equal((await call("/", { "x-token": token })).status, status));
    entries = "# revoked today\nt1\n";
    await expect("t1", 403);
    assert.match((await call("/", { "x-token": "t1" })).text, /revoked/);
    assert.equal((await call("/", { "x-token": "t2" })).status, 200);
    entries = "t2\n";
    await expect("t2", 403);
    assert.equal((await call("/", { "x-token": "t1" })).status, 200);
    entries = undefined;
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal((await call("/", { "x-token": "t2" })).status, 403, "the last good copy stays in force");
  });
});

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../support/documentation.ts";
import { type NpmFolder, npmFolder, requireRegistry } from "../support/npm-folder.ts";

interface PackedFile {
  readonly path: string;
  readonly size: number;
}

/** The oldest TypeScript that the package's types promise to work with. */
const OLDEST_TYPESCRIPT = "5.4.5";

/** Files of the package that people read, and the program does not. */
const READING = /^(?:docs|examples|policies\/examples)\/|^README\.md$|^LICENSE$/;

/** Most bytes of the unpacked package's code, types, schemas and scaffolds, without source maps. */
const MAX_PROGRAM_BYTES = 2_000_000;
/** Most bytes of what people read: 0.61 MB of documentation, 0.04 MB of examples. */
const MAX_READING_BYTES = 720_000;

const USER = `import { compile } from "purser/expressions";
import { defineAdapter, Type } from "purser/sdk";
import { createCollectingLogger } from "purser/sdk/testing";

export const shout = defineAdapter({
  name: "shout",
  description: "Writes log entries in capitals.",
  templates: ["logentry"],
  config: Type.Object({ prefix: Type.String({ default: "!" }) }),
  build({ config }) {
    return {
      logentry(entries) {
        for (const entry of entries) console.log(config.prefix + JSON.stringify(entry.variables).toUpperCase());
      },
      close() {},
    };
  },
});
const logger = createCollectingLogger();
logger.info("hello");
const compiled = compile("a + 1");
console.log(shout.name, logger.lines.length, typeof compiled);
`;

const MESH = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: no-deletes }
spec: { action: DENY, when: 'request.method = "DELETE"' }
`;

/** Each has a fault that the schema of its kind finds. */
const FAULTY = `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-user }
spec: { limit: none, window: 10 parsecs, algorithm: guess, limits: 3 }
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: counts }
spec: { adapter: redis-quota, config: { url: 7, keyPrefix: [] }, delivery: { linger: soon, overflow: flood } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec: { hosts: [shop], http: [{ timeout: long, route: [{ destination: { host: "a b", port: { number: 99999 } } }] }] }
`;

/** The relative links of a page, without their anchors. */
function linksOf(page: string): readonly string[] {
  return [...page.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

describe("the package, installed from its tarball into a fresh folder", function () {
  this.timeout(240_000);
  let folder: NpmFolder;
  let files: readonly PackedFile[];

  before(async function () {
    folder = npmFolder();
    const { stdout } = await promisify(execFile)(
      "npm",
      // The build made lib/ already, as the script prepack does in a clean clone.
      ["pack", "--ignore-scripts", "--json", "--pack-destination", folder.path],
      { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 },
    );
    const [packed] = JSON.parse(stdout) as readonly { filename: string; files: readonly PackedFile[] }[];
    files = packed?.files ?? [];
    writeFileSync(join(folder.path, "package.json"), '{ "type": "module" }\n');
    const install = `npm install --no-audit --no-fund ./${packed?.filename} typescript@${OLDEST_TYPESCRIPT} @types/node@20`;
    const result = await folder.run(install);
    requireRegistry(this, result);
    assert.equal(result.code, 0, result.output);
  });
  after(() => folder?.remove());

  it("has the code, types, schemas, docs and policies, and neither tests nor benches", () => {
    const paths = files.map(({ path }) => path);
    for (const path of [
      "lib/cli/purser.js",
      "lib/plugins/sdk/index.d.ts",
      "schemas/purser.schema.json",
      "docs/guides/policies.md",
      "policies/attribute-manifest.yaml",
      "README.md",
      "LICENSE",
    ])
      assert.ok(paths.includes(path), path);
    assert.deepEqual(
      paths.filter((path) => /(^|\/)(bench|test|dist)\/|\.test\.(js|d\.ts)|tsbuildinfo/.test(path)),
      [],
    );
  });

  it("is small", () => {
    const bytesOf = (isReading: boolean) =>
      files
        .filter(({ path }) => !path.endsWith(".map") && READING.test(path) === isReading)
        .reduce((sum, { size }) => sum + size, 0);
    const [program, reading] = [bytesOf(false), bytesOf(true)];
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
    console.log(`      without source maps: ${megabytes(program)}, and ${megabytes(reading)} to read`);
    assert.ok(program <= MAX_PROGRAM_BYTES, String(program));
    assert.ok(reading <= MAX_READING_BYTES, String(reading));
  });

  it("has each file that its pages link to, or docs/README.md names it as one of the repository alone", () => {
    const text = (path: string) => readFileSync(join(folder.path, "node_modules/purser", path), "utf8");
    const paths = files.map(({ path }) => path);
    const isThere = (linked: string) =>
      paths.some((path) => path === linked || path.startsWith(`${linked}/`));
    const [, section = ""] = text("docs/README.md").split("## In the npm package\n");
    const named = [...section.matchAll(/`([\w./]+(?:\/|\.md))`/g)].map(([, name = ""]) => name);
    const missing = paths
      .filter((path) => path.endsWith(".md"))
      .flatMap((path) => linksOf(text(path)).map((link) => posix.join(posix.dirname(path), link)))
      .map((linked) => linked.replace(/\/$/, ""))
      .filter((linked) => !isThere(linked));
    const isNamed = (linked: string, name: string) => linked === name || `${linked}/`.startsWith(name);
    assert.deepEqual(
      missing.filter((linked) => !named.some((name) => isNamed(linked, name))),
      [],
    );
    assert.deepEqual(
      named.filter((name) => !missing.some((linked) => isNamed(linked, name))),
      [],
    );
  });

  // These have 780 files, each of which costs a start some 0.4 ms.
  it("loads no file of the packages that lib/ includes", () => {
    const code = files.map(({ path }) => path).filter((path) => /^lib\/.*\.js$/.test(path));
    assert.ok(code.length > 50, String(code.length));
    const loads =
      /(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*["'`](?:typebox|@opentelemetry\/api)(?:\/[a-z]+)?["'`]/;
    assert.deepEqual(
      code.filter((path) => loads.test(readFileSync(join(folder.path, "node_modules/purser", path), "utf8"))),
      [],
    );
    const notice = readFileSync(join(folder.path, "node_modules/purser/lib/THIRD-PARTY.txt"), "utf8");
    for (const name of ["typebox", "@opentelemetry/api"]) assert.ok(notice.includes(name), name);
  });

  it("has the command purser", async () => {
    const { version } = JSON.parse((await folder.run("cat node_modules/purser/package.json")).output) as {
      version: string;
    };
    assert.equal((await folder.run("npx --no -- purser --version")).output.trim(), version);
    writeFileSync(join(folder.path, "mesh.yaml"), MESH);
    const validated = await folder.run("npx --no -- purser validate mesh.yaml");
    assert.equal(validated.code, 0, validated.output);
    assert.match(validated.output, /1 document, 1 expression, 0 errors/);
    const explained = await folder.run(
      "npx --no -- purser explain -c mesh.yaml --request 'DELETE http://shop/'",
    );
    assert.match(explained.output, /refused: PERMISSION_DENIED/);
    const scaffolded = await folder.run("npx --no -- purser new adapter whisper");
    assert.equal(scaffolded.code, 0, scaffolded.output);
  });

  // Schemas in the package have no descriptions of fields.
  it("finds the same faults in documents as the repository's build", async () => {
    writeFileSync(join(folder.path, "faulty.yaml"), FAULTY);
    const installed = await folder.run("node_modules/.bin/purser validate faulty.yaml");
    const built = await folder.run("purser validate faulty.yaml");
    assert.notEqual(installed.code, 0);
    assert.match(installed.output, /linger/);
    assert.deepEqual(installed, built);
  });

  it("serves requests", async () => {
    const command =
      "node_modules/.bin/purser run -c mesh.yaml --edge-port=0 --mixer-port=0 --pilot-port=0 --admin-port=0 > out 2>&1 & " +
      "for i in $(seq 100); do grep -q 'edge proxy' out && break; sleep 0.1; done; " +
      "curl -s -o /dev/null -w '%{http_code}' $(sed -n 's/.*edge proxy *\\(http:[^ ]*\\).*/\\1/p' out)/; kill $!; wait $!";
    const { output } = await folder.run(command);
    assert.match(output, /^404/, output);
  });

  it("has the doors purser/sdk, purser/sdk/testing and purser/expressions, with types for old compilers", async () => {
    writeFileSync(join(folder.path, "user.ts"), USER);
    const compiled = await folder.run(
      "npx --no -- tsc --strict --target es2022 --module nodenext --moduleResolution nodenext --skipLibCheck false user.ts",
    );
    assert.equal(compiled.code, 0, compiled.output);
    const ran = await folder.run("node user.js");
    assert.equal(ran.output.trim(), "shout 1 object");
  });
});

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { meshFolder, type MeshFolder, serviceEntry } from "../support/mesh-folder.ts";
import { printedDiagnostics } from "../support/printed-diagnostics.ts";
import { purser, purserIn } from "../support/program.ts";
import { wrongSets, writeSet } from "../support/wrong-sets.ts";

// Makes the mistakes of a user who starts the program: each gives one clear message and exit code 2.

describe("starting the program", function () {
  this.timeout(30_000);
  let folder: MeshFolder;

  before(() => {
    folder = meshFolder({ "mesh.yaml": serviceEntry("shop", 9) });
  });
  after(() => folder.remove());

  const ports = ["--edge-port=0", "--mixer-port=0", "--pilot-port=0", "--admin-port=0"];

  it("names a taken port, and exits with 2", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    for (const flag of ["--edge-port", "--mixer-port", "--pilot-port", "--admin-port"]) {
      const program = purser("run", "-c", folder.path, ...ports, `${flag}=${port}`, "--log-level=error");
      assert.equal(await program.ended(), 2, program.errors());
      const expected = `purser: 127.0.0.1:${port} is taken by process ${process.pid} \\(.+\\) \\(${flag}\\) \\[PURSER_PORT_TAKEN\\]`;
      assert.match(program.errors(), new RegExp(`^${expected}\n$`));
    }
    const parts = ["mixer", "pilot"].map((name) => [name, `--${name}-port`]);
    for (const [name = "", flag] of parts) {
      const program = purser(
        name,
        "-c",
        folder.path,
        "--allow-empty",
        `${flag}=${port}`,
        "--log-level=error",
      );
      assert.equal(await program.ended(), 2, program.errors());
      assert.match(program.errors(), new RegExp(`\\(${flag}\\) \\[PURSER_PORT_TAKEN\\]`));
    }
    const twice = purser(
      "run",
      "-c",
      folder.path,
      ...ports,
      `--workers=2`,
      `--edge-port=${port}`,
      "--log-level=error",
    );
    assert.equal(await twice.ended(), 2, twice.errors());
    assert.match(twice.errors(), /\(--edge-port\) \[PURSER_PORT_TAKEN\]/);
    taken.close();
  });

  it("names a taken port of the identity service and of a proxy in its own process", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    const mesh = purser("run", "-c", folder.path, ...ports, "--log-level=error");
    const [, mixer = "", pilot = ""] = await mesh.until(
      /mixer +(http:[\d./:]+)\/metrics.*\n +pilot +(http:[\d./:]+)\/v1/,
    );
    const state = meshFolder({});
    const identity = ["identity", `--state=${state.path}/identity`, "--identity-port=0", "--admin-port=0"];
    const proxy = ["proxy", "--pilot", pilot, "--mixer", mixer, "--admin-port=0"];
    const edge = [...proxy, "--role=edge", "--edge-port=0"];
    const inbound = ["--app=127.0.0.1:9", "--inbound-port=0", "--outbound-port=0"];
    const sidecar = [...proxy, "--role=sidecar", "--service=shop", ...inbound];
    const rows = [
      [identity, "--identity-port"],
      [identity, "--admin-port"],
      [edge, "--edge-port"],
      [edge, "--admin-port"],
      [[...edge, "--workers=2"], "--edge-port"],
      [[...edge, "--workers=2"], "--admin-port"],
      [sidecar, "--inbound-port"],
      [sidecar, "--outbound-port"],
      [sidecar, "--admin-port"],
      [[...sidecar, "--workers=2"], "--outbound-port"],
      [
        [
          "run",
          "-c",
          folder.path,
          ...ports,
          `--identity-state=${state.path}/mesh`,
          "--identity-admin-port=0",
        ],
        "--identity-port",
      ],
      [
        ["run", "-c", folder.path, ...ports, `--identity-state=${state.path}/mesh`, "--identity-port=0"],
        "--identity-admin-port",
      ],
    ] as const;
    try {
      for (const [args, flag] of rows) {
        const program = purser(...args, `${flag}=${port}`, "--log-level=error");
        assert.equal(await program.ended(), 2, `${args.join(" ")} ${flag}: ${program.errors()}`);
        const expected = `purser: 127.0.0.1:${port} is taken by process ${process.pid} \\(.+\\) \\(${flag}\\) \\[PURSER_PORT_TAKEN\\]`;
        assert.match(program.errors(), new RegExp(`^${expected}\n$`, "m"));
      }
      const free = await freePort();
      const both: readonly (readonly [readonly string[], readonly string[], RegExp])[] = [
        [identity, ["--identity-port", "--admin-port"], /is taken by another part of this program/],
        [edge, ["--edge-port", "--admin-port"], /is taken by another part of this program/],
        [
          sidecar,
          ["--inbound-port", "--outbound-port"],
          /of the listener inbound is taken by the listener outbound/,
        ],
      ];
      for (const [args, flags, message] of both) {
        const program = purser(...args, ...flags.map((flag) => `${flag}=${free}`), "--log-level=error");
        assert.equal(await program.ended(), 2, program.errors());
        assert.match(program.errors(), message);
        assert.ok(
          program.errors().endsWith(` (${flags.join(" and ")}) [PURSER_PORT_TAKEN]\n`),
          program.errors(),
        );
      }
    } finally {
      await mesh.stop();
      state.remove();
      taken.close();
    }
  }).timeout(120_000);

  it("names both flags of a port that is given twice", async () => {
    const port = await freePort();
    const twice = [`--mixer-port=${port}`, `--pilot-port=${port}`];
    const program = purser("run", "-c", folder.path, ...ports, ...twice, "--log-level=error");
    assert.equal(await program.ended(), 2, program.errors());
    assert.equal(
      program.errors(),
      `purser: 127.0.0.1:${port} is taken by another part of this program (--mixer-port and --pilot-port) [PURSER_PORT_TAKEN]\n`,
    );
  });

  it("names the server of a Gateway whose port is taken", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    const istio = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: ${port}, name: web, protocol: HTTP }, hosts: ["*"] }]
`;
    const kubernetes = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge, namespace: shop }
spec:
  gatewayClassName: purser
  listeners: [{ name: web, port: ${port}, protocol: HTTP }]
`;
    for (const [text, part] of [
      [istio, "server web of Gateway shop/edge"],
      [kubernetes, "listener web of Gateway shop/edge"],
    ]) {
      const gateway = meshFolder({ "mesh.yaml": `${serviceEntry("shop", 9)}---\n${text}` });
      const program = purser("run", "-c", gateway.path, ...ports, `--edge-port=${port}`, "--log-level=error");
      assert.equal(await program.ended(), 2, program.errors());
      gateway.remove();
      const expected = `^purser: 127.0.0.1:${port} of ${part} is taken by process ${process.pid} \\(.*\\) \\[PURSER_PORT_TAKEN\\]\n$`;
      assert.match(program.errors(), new RegExp(expected));
    }
    taken.close();
  });

  it("names the fault of a bad flag, and exits with 2", async () => {
    const cases: ReadonlyArray<readonly [args: readonly string[], message: RegExp]> = [
      [["run", "-c", folder.path, "--edge-prot=1"], /unknown option '--edge-prot=1'[\s\S]*--edge-port/],
      [
        ["run", "-c", folder.path, "--edge-port=http"],
        /--edge-port.*'http' is invalid.*a number from 0 to 65535/,
      ],
      [["mixer", "-c", folder.path, "--drain=25h"], /--drain.*'25h' is invalid.*must be 24h at most/],
      [["mixer"], /required option '-c, --config <path>' not specified/],
      [["rum"], /unknown command 'rum'[\s\S]*run/],
      [
        ["proxy", "--role=sidecar", "--pilot=http://127.0.0.1:1", "--mixer=http://127.0.0.1:1"],
        /--service.*PURSER_CLI_USAGE/,
      ],
      [["proxy", "--role=edge", "--pilot=127.0.0.1:1", "--mixer=http://127.0.0.1:1"], /It must be a URL/],
    ];
    for (const [args, message] of cases) {
      const program = purser(...args);
      assert.equal(await program.ended(), 2, args.join(" "));
      assert.match(program.errors(), message);
      assert.equal(program.output(), "");
    }
  });

  it("reports a configuration that does not exist, and exits with 2", async () => {
    const program = purser("run", "-c", `${folder.path}/nowhere`, ...ports);
    assert.equal(await program.ended(), 2);
    assert.match(program.errors(), /nowhere.*PURSER_DOC_UNREADABLE/);
  });

  it("shows every fault in the documents with its place and remedy, and exits with 2", async () => {
    const faulty = meshFolder({
      "a.yaml":
        "apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: a }\nspec:\n  action: DENIED\n  wen: 1 = 1\n",
      "b.yaml":
        "apiVersion: purser.dev/v1\nkind: QuotaPolicy\nmetadata: { name: b }\nspec:\n  limit: 1\n  window: 1s\n  store: rediss\n",
    });
    const program = purser("run", "-c", faulty.path, ...ports);
    assert.equal(await program.ended(), 2);
    assert.match(
      program.errors(),
      /a\.yaml:5:11: error: .* must be DENY, ALLOW or AUDIT, not "DENIED" \[PURSER_DOC_INVALID_VALUE\]/,
    );
    assert.match(
      program.errors(),
      /a\.yaml:6:3: error: .*\(did you mean "when"\?\) \[PURSER_DOC_UNKNOWN_FIELD\]/,
    );
    assert.match(program.errors(), /b\.yaml:7:10: error: .* \[PURSER_REF_UNKNOWN\]/);
    assert.match(program.errors(), /3 faults in the configuration/);
    faulty.remove();
  });

  it("shows the faults that purser validate shows", async () => {
    const faulty = meshFolder({});
    for (const [index, { files }] of wrongSets().entries()) writeSet(join(faulty.path, String(index)), files);
    const run = purser("run", "-c", faulty.path, ...ports);
    const validate = purser("validate", faulty.path);
    assert.deepEqual([await run.ended(), await validate.ended()], [2, 2]);
    const printed = printedDiagnostics(run.errors());
    assert.ok(printed.length > 50, run.errors());
    assert.deepEqual(printed, printedDiagnostics(validate.output()));
    faulty.remove();
  });

  it("reads the present folder when no documents are named, in run and in validate", async () => {
    const here = meshFolder({});
    const advice = (command: string) =>
      `\`purser init\` writes documents to begin with; \`purser ${command} FOLDER\` reads those of a folder.\n`;
    const fault = ".:1:1: error: There are no documents here [PURSER_CONFIG_EMPTY]";
    const run = purserIn(here.path, "run", ...ports);
    assert.equal(await run.ended(), 2);
    assert.ok(run.errors().startsWith(`${advice("run -c")}${fault}\n`), run.errors());
    const validate = purserIn(here.path, "validate");
    assert.equal(await validate.ended(), 2);
    assert.equal(validate.errors(), advice("validate"));
    assert.ok(validate.output().startsWith(`${fault}\n`), validate.output());
    here.write("mesh.yaml", serviceEntry("shop", 9));
    const good = purserIn(here.path, "validate");
    assert.equal(await good.ended(), 0);
    assert.equal(good.output(), "1 document, 0 expressions, 0 errors, 0 warnings\n");
    here.remove();
  });

  it("explains each command for --help, on standard output, and exits with 0", async () => {
    for (const [args, text] of [
      [["--help"], /run .*mixer,\s+pilot\s+and an edge\s+proxy/s],
      [["run", "--help"], /Examples:\n {2}purser run .*\n {2}purser run -c mesh\//],
      [["mixer", "--help"], /--mixer-port <port>.*9092/s],
      [["proxy", "--help"], /--role <role>/],
      [["pilot", "--help"], /--pilot-port/],
      [["validate", "--help"], /Examples:\n {2}purser validate .*\n {2}purser validate mesh\//],
    ] as const) {
      const program = purser(...args);
      assert.equal(await program.ended(), 0);
      assert.match(program.output(), text);
    }
  });
});

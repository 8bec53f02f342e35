// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { eventually } from "./eventually.ts";
import { goProgram } from "./go-program.ts";
import { npmPackage } from "./npm-package.ts";

const HOST = "127.0.0.1";

/** A StatsD server for a test, on loopback, for UDP and TCP. */
export interface StatsdServer {
  readonly udpPort: number;
  readonly tcpPort: number;
  stop(): Promise<void>;
}

/** The original StatsD server (npm statsd). */
export interface OriginalStatsd extends StatsdServer {
  /** The answer of the management interface to `counters`, `gauges` or `timers`. */
  ask(command: string): Promise<string>;
}

/** Prometheus's statsd_exporter, which reads DogStatsD. */
export interface StatsdExporter extends StatsdServer {
  /** The exported series. */
  metrics(): Promise<string>;
}

/** Call from a `before` hook with mocha's `this`. */
export async function startOriginalStatsd(context: Mocha.Context): Promise<OriginalStatsd> {
  const installed = await npmPackage(context, "statsd", "0.9.0");
  const folder = mkdtempSync(join(tmpdir(), "purser-statsd-"));
  const [udpPort, tcpPort, managementPort] = [await freePort(), await freePort(), await freePort()];
  const config = join(folder, "config.js");
  const settings = {
    servers: [
      { server: "./servers/udp", address: HOST, port: udpPort },
      { server: "./servers/tcp", address: HOST, port: tcpPort },
    ],
    mgmt_address: HOST,
    mgmt_port: managementPort,
    backends: [],
    // No flush during a test: the management interface shows what has arrived since the last one.
    flushInterval: 3_600_000,
  };
  writeFileSync(config, JSON.stringify(settings));
  const child = start(process.execPath, [join(installed, "stats.js"), config], installed);
  const ask = async (command: string): Promise<string> => {
    const socket = connect({ host: HOST, port: managementPort });
    // The server takes what arrives together for one command.
    socket.write(`${command}\n`);
    let answer = "";
    for await (const chunk of socket) {
      answer += String(chunk);
      if (/^(END|health: .*)$/m.test(answer)) break;
    }
    return answer;
  };
  await eventually(async () => void (await ask("health")));
  return {
    udpPort,
    tcpPort,
    ask,
    async stop() {
      await end(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Call from a `before` hook with mocha's `this`. */
export async function startStatsdExporter(context: Mocha.Context): Promise<StatsdExporter> {
  const program = await goProgram(context, {
    name: "statsd_exporter",
    module: "github.com/prometheus/statsd_exporter",
    version: "v0.31.0",
  });
  const [udpPort, tcpPort, webPort] = [await freePort(), await freePort(), await freePort()];
  const child = start(program, [
    `--statsd.listen-udp=${HOST}:${udpPort}`,
    `--statsd.listen-tcp=${HOST}:${tcpPort}`,
    `--web.listen-address=${HOST}:${webPort}`,
    "--statsd.event-flush-interval=10ms",
  ]);
  const metrics = async (): Promise<string> => (await fetch(`http://${HOST}:${webPort}/metrics`)).text();
  await eventually(async () => void (await metrics()));
  return { udpPort, tcpPort, metrics, stop: () => end(child) };
}

function start(program: string, args: readonly string[], cwd?: string): ChildProcess {
  const child = spawn(program, [...args], { stdio: "ignore", ...(cwd === undefined ? {} : { cwd }) });
  // A test process that dies must not leave its servers running.
  const onExit = () => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("exit", () => process.removeListener("exit", onExit));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

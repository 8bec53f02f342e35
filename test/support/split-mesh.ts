// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { eventually } from "./eventually.ts";
import { type MeshFolder, meshFolder, serviceEntry } from "./mesh-folder.ts";
import { type Program, purser } from "./program.ts";
import { freePort } from "../../bench/machine/free-port.ts";
import { startUpstream, type Upstream } from "./upstream.ts";

/** Mixers, pilot and edge proxies in processes of their own, in front of an upstream in this process. */
export interface SplitMesh {
  readonly folder: MeshFolder;
  readonly upstream: Upstream;
  /** URLs of the edge proxies. */
  readonly edges: readonly string[];
  readonly mixers: readonly string[];
  /** The counts of an edge proxy's client of the mixer, by event. */
  clientCounts(edge: number): Promise<Readonly<Record<string, number>>>;
  /** Kills an edge proxy at once, as a crash would. */
  killEdge(index: number): Promise<void>;
  /** Starts an edge proxy on its port; resolves when it knows the policies. */
  startEdge(index: number): Promise<void>;
  /** Kills a mixer at once, as a crash would. */
  killMixer(index: number): Promise<void>;
  /** Restarts a mixer on its port; resolves when it listens. */
  startMixer(index: number): Promise<void>;
  stop(): Promise<void>;
}

const EDGE_FLAGS = ["proxy", "--role=edge", "--log-level=error"] as const;

/**
 * Starts the mesh. Each edge proxy has a mixer of its own when there are enough, so that mixers decide
 * concurrently.
 */
export async function startSplitMesh(options: {
  readonly documents: string;
  readonly mixers: number;
  readonly edges: number;
  /** The upstream's answers; default: a greeting. */
  readonly listener?: RequestListener;
}): Promise<SplitMesh> {
  const upstream = await startUpstream(options.listener);
  const folder = meshFolder({
    "mesh.yaml": serviceEntry("shop", upstream.port),
    "policies.yaml": options.documents,
  });
  const mixerPorts = await Promise.all(Array.from({ length: options.mixers }, freePort));
  const mixerUrls = mixerPorts.map((port) => `http://127.0.0.1:${port}`);
  const mixers: (Program | undefined)[] = [];
  const startMixer = async (index: number): Promise<void> => {
    const program = purser(
      "mixer",
      "-c",
      folder.path,
      `--mixer-port=${mixerPorts[index]}`,
      "--log-level=error",
    );
    mixers[index] = program;
    await program.until(/mixer listening/);
  };
  const pilotPort = await freePort();
  const pilot = purser("pilot", "-c", folder.path, `--pilot-port=${pilotPort}`, "--log-level=error");
  await Promise.all([pilot.until(/pilot listening/), ...mixerPorts.map((_, index) => startMixer(index))]);
  const adminPorts = await Promise.all(Array.from({ length: options.edges }, freePort));
  const edgePorts = await Promise.all(Array.from({ length: options.edges }, freePort));
  const proxies: (Program | undefined)[] = [];
  const startEdge = async (index: number): Promise<void> => {
    const proxy = purser(
      ...EDGE_FLAGS,
      `--edge-port=${edgePorts[index]}`,
      `--admin-port=${adminPorts[index]}`,
      `--pilot=http://127.0.0.1:${pilotPort}`,
      `--mixer=${mixerUrls[index % options.mixers]}`,
    );
    proxies[index] = proxy;
    await proxy.until(/listening on http:\S+/);
    // A proxy listens before it knows the policies, and refuses requests until then.
    await eventually(async () => {
      const { status } = await fetch(`http://127.0.0.1:${adminPorts[index]}/ready`);
      assert.equal(status, 200);
    });
  };
  await Promise.all(edgePorts.map((_, index) => startEdge(index)));
  return {
    folder,
    upstream,
    edges: edgePorts.map((port) => `http://127.0.0.1:${port}`),
    mixers: mixerUrls,
    startMixer,
    startEdge,
    async killEdge(index) {
      await proxies[index]?.stop("SIGKILL");
    },
    async clientCounts(edge) {
      const answer = await fetch(`http://127.0.0.1:${adminPorts[edge]}/stats/prometheus`);
      const lines = (await answer.text()).matchAll(
        /^purser_proxy_mixer_client_total\{event="(\w+)"\} (\d+)$/gm,
      );
      return Object.fromEntries([...lines].map(([, event, count]) => [event, Number(count)]));
    },
    async killMixer(index) {
      await mixers[index]?.stop("SIGKILL");
    },
    async stop() {
      for (const program of [pilot, ...proxies, ...mixers]) await program?.stop("SIGKILL");
      await upstream.close();
      folder.remove();
    },
  };
}

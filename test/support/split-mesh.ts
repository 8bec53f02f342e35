// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
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
  /** Kills a mixer at once, as a crash would. */
  killMixer(index: number): Promise<void>;
  /** Restarts a mixer on its port; resolves when it listens. */
  startMixer(index: number): Promise<void>;
  stop(): Promise<void>;
}

const EDGE_FLAGS = ["proxy", "--role=edge", "--edge-port=0", "--log-level=error"] as const;

/**
 * Starts the mesh. Each edge proxy has a mixer of its own when there are enough, so that mixers decide
 * concurrently.
 */
export async function startSplitMesh(options: {
  readonly documents: string;
  readonly mixers: number;
  readonly edges: number;
}): Promise<SplitMesh> {
  const upstream = await startUpstream();
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
  const proxies = adminPorts.map((adminPort, index) =>
    purser(
      ...EDGE_FLAGS,
      `--admin-port=${adminPort}`,
      `--pilot=http://127.0.0.1:${pilotPort}`,
      `--mixer=${mixerUrls[index % options.mixers]}`,
    ),
  );
  const edges = await Promise.all(
    proxies.map(async (proxy) => (await proxy.until(/listening on (http:\S+)/))[1] as string),
  );
  // A proxy listens before it knows the policies, and refuses requests until then.
  for (const adminPort of adminPorts)
    await eventually(async () => {
      const { status } = await fetch(`http://127.0.0.1:${adminPort}/ready`);
      assert.equal(status, 200);
    });
  return {
    folder,
    upstream,
    edges,
    mixers: mixerUrls,
    startMixer,
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

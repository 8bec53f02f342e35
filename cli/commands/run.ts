// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError } from "commander";
import {
  adminHostFlag,
  allowedHostsFlag,
  allowEmptyFlag,
  configFlag,
  controlCaFlag,
  controlCertFlag,
  controlKeyFlag,
  controlTokenFlag,
  count,
  credentialsFlag,
  drainFlag,
  explainKeyFlag,
  hostFlag,
  localityFlag,
  logFormatFlag,
  logLevelFlag,
  port,
  openMetricsFlag,
  portFlag,
  skipForeignFlag,
  strictFlag,
  underscoresFlag,
  upgradesFlag,
  viaFlag,
  workersFlag,
  workloadCertsFlag,
} from "./flags.ts";
import type { MeshFlags } from "../compose/run-mesh.ts";

export function runCommand(): Command {
  return meshFlags(new Command("run"), configFlag().makeOptionMandatory(false))
    .summary("run a whole mesh in this process: mixer, pilot and an edge proxy")
    .description(
      "Runs mixer, pilot and an edge proxy in one process, with the documents of a folder. An edited document takes " +
        "effect within a second; a faulty edit is refused, and the last good set stays in force.",
    )
    .addHelpText(
      "after",
      `
Examples:
  purser run                                   documents of this folder, as purser init writes them
  purser run -c mesh/                          documents of a folder, edge on port 8080
  purser run -c mesh/ --sidecar reviews=15001  with a sidecar for the outbound calls of reviews
  purser run -c mesh/ --edge-port 0            any free port, which the summary shows`,
    )
    .action(async (flags) => (await import("../actions/run.ts")).run(flags));
}

/** The flags of a mesh in one process, which the demo has too. */
export function meshFlags(command: Command, config = configFlag()): Command {
  return command
    .addOption(config)
    .addOption(allowEmptyFlag())
    .addOption(skipForeignFlag())
    .addOption(strictFlag())
    .addOption(hostFlag())
    .addOption(portFlag("--edge-port", "the edge proxy, when no Gateway names one", 8080))
    .addOption(portFlag("--mixer-port", "the mixer's HTTP API", 9092))
    .addOption(portFlag("--pilot-port", "pilot's HTTP API", 15010))
    .addOption(adminHostFlag())
    .addOption(portFlag("--admin-port", "the edge proxy's admin surface", 15000))
    .addOption(allowedHostsFlag())
    .addOption(controlTokenFlag())
    .addOption(openMetricsFlag())
    .addOption(controlCertFlag())
    .addOption(controlKeyFlag())
    .addOption(controlCaFlag())
    .option(
      "--sidecar <service=port>",
      "a sidecar for a service's outbound calls, and its port; repeatable",
      sidecar,
    )
    .addOption(localityFlag())
    .addOption(explainKeyFlag())
    .addOption(credentialsFlag())
    .addOption(workloadCertsFlag())
    .option(
      "--identity-state <folder>",
      "also runs the identity service, with its keys in this folder; the edge and the sidecars get certificates of it",
    )
    .addOption(
      portFlag("--identity-port", "the identity service's API for proxies, with --identity-state", 15_012),
    )
    .addOption(
      portFlag(
        "--identity-admin-port",
        "the identity service's API for operators, with --identity-state",
        15_014,
      ),
    )
    .option(
      "--trusted-hops <n>",
      "number of trusted proxies in front of the edge, whose statements about the client are used",
      count,
      0,
    )
    .option(
      "--max-body-bytes <n>",
      "the largest request body that the mixer's API accepts, in bytes",
      count,
      1_048_576,
    )
    .option("--max-concurrent-requests <n>", "most requests under way at the mixer's API", count, 1_024)
    .addOption(underscoresFlag())
    .addOption(upgradesFlag())
    .addOption(viaFlag("the edge"))
    .addOption(workersFlag())
    .addOption(drainFlag())
    .addOption(logLevelFlag())
    .addOption(logFormatFlag());
}

function sidecar(value: string, previous: MeshFlags["sidecar"] = []): MeshFlags["sidecar"] {
  const [, service, portText] = /^([^=]+)=(\d+)$/.exec(value) ?? [];
  if (service === undefined || portText === undefined) {
    throw new InvalidArgumentError("It must have the form service=port, such as reviews=15001.");
  }
  return [...previous, { service, outboundPort: port(portText) }];
}

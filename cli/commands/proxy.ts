// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, Option } from "commander";
import {
  address,
  adminHostFlag,
  allowedHostsFlag,
  collect,
  controlCaFlag,
  controlCertFlag,
  controlKeyFlag,
  controlTokenFlag,
  count,
  credentialsFlag,
  drainFlag,
  explainKeyFlag,
  hostFlag,
  label,
  localityFlag,
  logFormatFlag,
  logLevelFlag,
  namespace,
  openMetricsFlag,
  portFlag,
  tokenFlag,
  underscoresFlag,
  upgradesFlag,
  viaFlag,
  workersFlag,
  workloadCertsFlag,
  url,
} from "./flags.ts";

export function proxyCommand(): Command {
  return new Command("proxy")
    .summary("run a proxy: an edge of the mesh, or the sidecar of one workload")
    .description(
      "Runs a proxy in its own process, with pilot and mixer over HTTP. It listens once pilot has sent its listeners, and decides once the mixer has sent the policies; until then requests get 503.",
    )
    .addOption(
      new Option("--role <role>", "the proxy's role").choices(["edge", "sidecar"]).makeOptionMandatory(),
    )
    .requiredOption("--pilot <url>", "URL of pilot", url)
    .requiredOption("--mixer <url>", "URL of a mixer; repeatable", (value, previous?: readonly string[]) =>
      collect(url(value), previous),
    )
    .addOption(hostFlag())
    .addOption(portFlag("--edge-port", "an edge, when no Gateway names one", 8080))
    .option("--service <name>", "the service whose sidecar this is")
    .option(
      "--namespace <name>",
      "the namespace of the proxy, which the documents' exportTo is about; default a sidecar's service's, and an edge's is default",
      namespace,
    )
    .option(
      "--label <name=value>",
      "a label of the sidecar's workload, for workloadSelectors, or of the edge, for selectors of Gateways; repeatable",
      label,
    )
    .option(
      "--app <address>",
      "the address on which the sidecar's workload listens; without it there is no inbound listener",
      address,
    )
    .addOption(portFlag("--inbound-port", "a sidecar, for calls to its workload", 15006))
    .addOption(portFlag("--outbound-port", "a sidecar, for calls of its workload; always on loopback", 15001))
    .addOption(adminHostFlag())
    .addOption(portFlag("--admin-port", "the admin surface", 15000))
    .addOption(allowedHostsFlag())
    .addOption(controlTokenFlag())
    .addOption(openMetricsFlag())
    .addOption(controlCertFlag())
    .addOption(controlKeyFlag())
    .addOption(controlCaFlag())
    .addOption(tokenFlag("pilot and the mixers"))
    .option(
      "--trusted-hops <n>",
      "number of trusted proxies in front of an edge, whose statements about the client are used",
      count,
      0,
    )
    .addOption(localityFlag())
    .addOption(explainKeyFlag())
    .addOption(credentialsFlag())
    .addOption(workloadCertsFlag())
    .option("--identity <url>", "the identity service that issues the workload's certificate", url)
    .option(
      "--join-token-file <file>",
      "the file with the token for the first certificate (purser identity token); read again when the proxy must join anew",
    )
    .addOption(underscoresFlag())
    .addOption(upgradesFlag())
    .addOption(viaFlag("the proxy"))
    .addOption(workersFlag())
    .addOption(drainFlag())
    .addOption(logLevelFlag())
    .addOption(logFormatFlag())
    .addHelpText(
      "after",
      `
Examples:
  purser proxy --role edge --pilot http://pilot:15010 --mixer http://mixer:9092
  purser proxy --role sidecar --service reviews --app 127.0.0.1:9080 --host 0.0.0.0 \\
               --pilot http://pilot:15010 --mixer http://mixer-1:9092 --mixer http://mixer-2:9092`,
    )
    .action(async (flags) => (await import("../actions/proxy.ts")).proxy(flags));
}

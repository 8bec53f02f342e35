// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { COMMON, type CommonFlags, commonFlags, commonHelp } from "../flags.ts";
import { CONTENDERS } from "./contenders/index.ts";
import { STREAMS } from "./load/h2load.ts";
import { CONNECTIONS } from "./load/workloads.ts";
import { HTTP1, PROTOCOLS, type Protocol } from "./protocol.ts";

export interface Flags extends CommonFlags {
  readonly protocol: Protocol;
  /** Names of the contenders; the others are neither prepared nor reported. */
  readonly only: readonly string[];
  readonly workloads: readonly string[];
}

const ROUNDS = 3;
const NAMES = CONTENDERS.map(({ name }) => name);

const namesOf = (all: readonly { readonly name: string }[]): readonly string[] => all.map(({ name }) => name);
const listed = ({ name, summary, workloads, contenders, seconds }: Protocol): string =>
  `  ${name.padEnd(18)} ${summary}
${" ".repeat(21)}workloads ${namesOf(workloads).join(",")}; runs of ${seconds} s
${" ".repeat(21)}contenders ${contenders?.join(",") ?? "all"}`;

export const HELP = `Usage: npm run bench:proxy -- [options]

Compares Purser's proxy with others on this machine. An nginx upstream and the load generator
have one core; the contenders have another one in turn, and are suspended while another has it.
It needs Linux with two cores, nginx and wrk (apt-get install nginx wrk). The protocols h2 and grpc
need h2load in place of wrk (apt-get install nghttp2-client), and https and h2 need openssl.
Peers from npm and PyPI are downloaded once into a cache folder; a peer that is missing is named,
and the others are measured.

Options:
  --protocol <name>  the protocol of the clients (default: ${HTTP1.name})
  --only <names>     contenders, by commas (default: all of the protocol)
  --workload <names> workloads, by commas (default: all of the protocol)
${commonHelp({ rounds: ROUNDS, seconds: "of the protocol" })}

Protocols (wrk keeps 1 request under way on each of ${CONNECTIONS} connections, h2load ${STREAMS}):
${PROTOCOLS.map(listed).join("\n")}

Contenders:
${CONTENDERS.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join("\n")}

Exit code: 0 when every bar that could be measured is met, 1 when one is missed or the bench
failed, 2 for wrong options.

Examples:
  npm run bench:proxy -- --only nginx,forwarder,purser-full --workload get-1k   about three minutes
  npm run --silent bench:proxy -- --json >figures.json                          about twenty-five minutes
  npm run bench:proxy -- --protocol h2                                          less than five minutes
  npm run bench:proxy -- --node "$(npx --yes --package=node@24 which node)"     on Node.js 24
`;

/** Reads the command line. Throws an Error whose message names the wrong option and the choices. */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...COMMON,
      protocol: { type: "string", default: HTTP1.name },
      only: { type: "string" },
      workload: { type: "string" },
    },
  });
  const protocol = PROTOCOLS.find(({ name }) => name === values.protocol);
  if (protocol === undefined)
    throw new Error(
      `--protocol: there is no ${values.protocol || "empty name"}; choose from ${namesOf(PROTOCOLS).join(", ")}`,
    );
  const { contenders = NAMES, workloads, seconds } = protocol;
  return {
    ...commonFlags(values, { rounds: ROUNDS, seconds }),
    protocol,
    only: choices("--only", values.only, contenders, protocol),
    workloads: choices("--workload", values.workload, namesOf(workloads), protocol),
  };
}

/** The names in the text, by commas; all without a text. */
function choices(
  flag: string,
  text: string | undefined,
  known: readonly string[],
  protocol: Protocol,
): readonly string[] {
  if (text === undefined) return known;
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !known.includes(name));
  if (wrong !== undefined)
    throw new Error(
      `${flag}: there is no ${wrong || "empty name"} with ${protocol.name}; choose from ${known.join(", ")}`,
    );
  return names;
}

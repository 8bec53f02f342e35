// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_TOKEN_MS, MAX_TOKEN_MS } from "../../api/identity-service.ts";
import { parseServiceAccount, trustDomainFault } from "../../core/identity/spiffe-id.ts";
import {
  allowedHostsFlag,
  drainFlag,
  duration,
  hostFlag,
  logFormatFlag,
  logLevelFlag,
  portFlag,
  url,
} from "./flags.ts";

const HELP = `
Without --ca-cert the service makes a root of its own at its first start, and keeps the key in --state.
The operator's key is made in --state too: --key-file of the commands below.

Examples:
  purser identity --state /var/lib/purser-identity --host 0.0.0.0
  purser identity token --service-account shop/cart --key-file /var/lib/purser-identity/operator.key > cart.token
  purser proxy --role sidecar --service cart --identity https://identity:15012 --join-token-file cart.token ...
  purser identity revoke spiffe://cluster.local/ns/shop/sa/cart --reason "stolen" --key-file operator.key
  purser identity rotate-root --key-file operator.key

Exit codes: 0 done; 1 the identity service does not answer; 2 a flag, a key or an identity is wrong.

docs/guides/security.md describes identities, docs/guides/operations.md how to run the service.`;

const actions = () => import("../actions/identity.ts");

export function identityCommand(): Command {
  const command = serviceFlags(new Command("identity"))
    .summary("run the certificate authority of the mesh, or operate it")
    .description(
      "Runs the certificate authority that gives each workload a short-lived certificate with its SPIFFE id. Proxies call it over HTTP with TLS.",
    )
    .addHelpText("after", HELP)
    .action(async (flags) => (await actions()).identity(flags));
  command.addCommand(
    operating("token", "make a join token for one proxy of a service account; it is printed once")
      .addOption(
        new Option("--service-account <namespace/name>", "the service account of the workload")
          .argParser(serviceAccount)
          .makeOptionMandatory(),
      )
      .addOption(
        new Option("--for <duration>", "how long the token can be used, from 1s to 7d")
          .argParser(tokenDuration)
          .default(DEFAULT_TOKEN_MS, "1h"),
      )
      .action(async (flags) => (await actions()).token(flags)),
  );
  command.addCommand(
    changing("revoke", "refuse a workload at once: its certificates, its renewals and its joins").action(
      async (id, flags) => (await actions()).revoke(id, flags),
    ),
  );
  command.addCommand(
    changing("restore", "let a revoked workload join again; its earlier certificates stay revoked").action(
      async (id, flags) => (await actions()).restore(id, flags),
    ),
  );
  command.addCommand(
    operating(
      "rotate-root",
      "replace the root, while proxies trust both; with --ca-cert take its new files",
    ).action(async (flags) => (await actions()).rotateRoot(flags)),
  );
  command.addCommand(
    operating("status", "show signers, the step of a rotation, and revoked identities").action(
      async (flags) => (await actions()).status(flags),
    ),
  );
  return command;
}

/** The flags of the service itself. */
function serviceFlags(command: Command) {
  return command
    .addOption(
      new Option(
        "--state <folder>",
        "the folder of the authority's keys, its tokens and revocations; only this user may read it",
      ),
    )
    .addOption(
      new Option("--trust-domain <name>", "the trust domain of all identities")
        .argParser(trustDomain)
        .default("cluster.local"),
    )
    .addOption(
      new Option("--certificate-lifetime <duration>", "lifetime of workloads' certificates, from 5s to 7d")
        .argParser(lifetime)
        .default(3_600_000, "1h"),
    )
    .addOption(
      new Option(
        "--ca-cert <file>",
        "the certificate of an authority that signs, with its intermediates, in PEM; default: a root of its own",
      ),
    )
    .addOption(new Option("--ca-key <file>", "the key of --ca-cert, in PEM"))
    .addOption(
      new Option("--ca-root <file>", "the root above --ca-cert, in PEM; default: --ca-cert is a root itself"),
    )
    .addOption(hostFlag())
    .addOption(portFlag("--identity-port", "the API for proxies, with TLS", 15_012))
    .addOption(
      new Option("--admin-host <address>", "the address of the API for operators").default(
        "127.0.0.1",
        "loopback only",
      ),
    )
    .addOption(portFlag("--admin-port", "the API for operators, health and metrics", 15_014))
    .addOption(allowedHostsFlag())
    .addOption(drainFlag())
    .addOption(logLevelFlag())
    .addOption(logFormatFlag());
}

function operating(name: string, summary: string): Command {
  return new Command(name)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .summary(summary)
    .addOption(
      new Option("--identity <url>", "the identity service's API for operators")
        .argParser(url)
        .default("http://127.0.0.1:15014"),
    )
    .addOption(
      new Option(
        "--key-file <file>",
        "the operator's key: operator.key in the service's --state",
      ).makeOptionMandatory(),
    )
    .option("--json", "print the reply as JSON", false);
}

function changing(name: string, summary: string): Command {
  return operating(name, summary)
    .argument("<spiffe-id>", "the identity, such as spiffe://cluster.local/ns/shop/sa/cart")
    .addOption(
      new Option("--reason <text>", "why, for the log; 200 characters at most")
        .argParser(reason)
        .makeOptionMandatory(),
    );
}

function trustDomain(value: string): string {
  const fault = trustDomainFault(value);
  if (fault !== undefined)
    throw new InvalidArgumentError(`It must be a name such as cluster.local: ${fault}.`);
  return value;
}

function serviceAccount(value: string): string {
  if (parseServiceAccount(value) === undefined)
    throw new InvalidArgumentError("It must be NAMESPACE/NAME in lower case, such as shop/cart.");
  return value;
}

function lifetime(value: string): number {
  const durationMs = duration(value);
  if (durationMs < 5_000 || durationMs > 7 * 86_400_000)
    throw new InvalidArgumentError("It must be from 5s to 7d.");
  return durationMs;
}

function tokenDuration(value: string): number {
  const durationMs = duration(value);
  if (durationMs < 1_000 || durationMs > MAX_TOKEN_MS)
    throw new InvalidArgumentError("It must be from 1s to 7d.");
  return durationMs;
}

function reason(value: string): string {
  if (value.trim() === "" || value.length > 200)
    throw new InvalidArgumentError("It must be a text of 200 characters at most.");
  return value;
}

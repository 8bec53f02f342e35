// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { InvalidArgumentError, Option } from "commander";
import type { Labels } from "../../core/traffic/labels.ts";
import { LOCALITY_PATTERN, MAX_LOCALITY_LENGTH } from "../../core/traffic/locality.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import {
  DEFAULT_UNDERSCORES_ACTION,
  UNDERSCORE_ACTIONS,
} from "../../proxy/transport/fields/underscore-names.ts";
import { isViaPseudonym } from "../../proxy/transport/fields/via-names.ts";
import { DEFAULT_UPGRADES } from "../../proxy/transport/contract/default-upgrades.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../output/log-levels.ts";

/** Flags that several commands share, each with one meaning and one default. */

export const configFlag = (): Option =>
  new Option("-c, --config <path>", "a file or folder of documents; repeatable")
    .argParser(collect)
    .makeOptionMandatory();

export const allowEmptyFlag = (): Option =>
  new Option("--allow-empty", "accept a set without documents to enforce, which is otherwise refused");

export const skipForeignFlag = (): Option =>
  new Option(
    "--skip-foreign",
    "skip documents of other programs, such as Deployments, with one line each; without it they are errors",
  );

export const strictFlag = (): Option =>
  new Option(
    "--strict",
    "treat a reference to a service, subset or Gateway that no document declares as an error, not a warning",
  );

export const hostFlag = (): Option =>
  new Option("--host <address>", "the address to listen on").default("127.0.0.1", "loopback only");

/** Separate from --host: every client of the admin surface can drain the proxy. */
export const adminHostFlag = (): Option =>
  new Option("--admin-host <address>", "the address of the proxy's admin surface").default(
    "127.0.0.1",
    "loopback only",
  );

/**
 * Host names accepted by control surfaces besides their addresses; other names are refused as DNS rebinding.
 */
export const allowedHostsFlag = (): Option =>
  new Option(
    "--allowed-hosts <names>",
    "host names of the control surfaces, separated by commas; .example.com for all names below it",
  )
    .argParser(hostNames)
    .default([], "addresses, localhost and names without a dot");

export const logLevelFlag = (): Option =>
  new Option("--log-level <level>", "the least severe level that is logged")
    .choices(LOG_LEVELS)
    .default("info");

export const logFormatFlag = (): Option =>
  new Option("--log-format <format>", "the form of logs: auto is text on a terminal and JSON lines elsewhere")
    .choices(LOG_FORMATS)
    .default("auto");

export const portFlag = (flag: string, what: string, defaultPort: number): Option =>
  new Option(`${flag} <port>`, `the port of ${what}; 0 for any free port`)
    .argParser(port)
    .default(defaultPort);

export const localityFlag = (): Option =>
  new Option(
    "--locality <region/zone/subzone>",
    "the place of the proxy, for localityLbSetting of DestinationRules; later parts are optional",
  ).argParser(locality);

export const workersFlag = (): Option =>
  new Option(
    "--workers <n>",
    "number of processes that share the proxy's ports, such as one per core; 1 is this process alone",
  )
    .argParser(workers)
    .default(1);

/**
 * Default 5 s, as in Istio (terminationDrainDuration): requests have 70 % of it, and Kubernetes kills a process only 30 s
 * after its SIGTERM.
 */
export const drainFlag = (): Option =>
  new Option("--drain <duration>", "longest time to stop; requests under way may finish meanwhile")
    .argParser(drainDuration)
    .default(5_000, "5s");

function locality(value: string): string {
  if (value.length <= MAX_LOCALITY_LENGTH && new RegExp(LOCALITY_PATTERN).test(value)) return value;
  throw new InvalidArgumentError(
    "A locality is region/zone/subzone, of letters, digits, '.', '_' and '-'; later parts are optional.",
  );
}

/** Node's timers are limited to 2^31 ms; longer ones fire at once, which would cut every request. */
const MAX_DRAIN_MS = 24 * 3_600_000;

function drainDuration(value: string): number {
  const durationMs = duration(value);
  if (durationMs > MAX_DRAIN_MS) throw new InvalidArgumentError("It must be 24h at most.");
  return durationMs;
}

export const underscoresFlag = (): Option =>
  new Option(
    "--headers-with-underscores-action <action>",
    "the proxy's action on a request with an underscore in a header name",
  )
    .choices(UNDERSCORE_ACTIONS)
    .default(DEFAULT_UNDERSCORES_ACTION);

export const upgradesFlag = (): Option =>
  new Option(
    "--upgrade-protocols <protocols>",
    "protocols that requests may upgrade to, by commas, such as websocket; none for no upgrade",
  )
    .argParser(upgradeProtocols)
    .default(DEFAULT_UPGRADES, DEFAULT_UPGRADES.join());

export const viaFlag = (what: string): Option =>
  new Option(
    "--via <name>",
    `the name of ${what} in the Via field of requests and responses; a request that has it already is refused with 508; without it the field is left alone`,
  ).argParser(viaPseudonym);

function viaPseudonym(value: string): string {
  if (!isViaPseudonym(value))
    throw new InvalidArgumentError("It must be a word without spaces and commas, such as edge-1.");
  return value;
}

export const explainKeyFlag = (): Option =>
  new Option(
    "--explain-key-file <file>",
    "a file with the key that requests send in x-purser-explain to get an explanation; without it no request gets one",
  );

export const credentialsFlag = (): Option =>
  new Option(
    "--credentials <folder>",
    "the folder of the proxy's certificates: NAME/tls.crt, tls.key and ca.crt for each credentialName NAME; watched",
  );

export const controlTokenFlag = (): Option =>
  new Option(
    "--control-token-file <file>",
    "a file of bearer tokens, one on each line: the control surfaces need one of them; without it they are open to everybody; reread every second",
  );

export const openMetricsFlag = (): Option =>
  new Option("--open-metrics", "serve metrics without a credential, where the control surfaces need one");

export const controlCertFlag = (): Option =>
  new Option(
    "--control-tls-cert <file>",
    "the certificate chain of this process in the control plane, in PEM: its control surfaces speak TLS with it, and its calls show it; reread every second",
  );

export const controlKeyFlag = (): Option =>
  new Option("--control-tls-key <file>", "the private key of --control-tls-cert, in PEM");

export const controlCaFlag = (): Option =>
  new Option(
    "--control-tls-ca <file>",
    "the authorities of the control plane, in PEM: with --control-tls-cert the control surfaces need a client certificate of theirs; calls verify https servers by them",
  );

export const tokenFlag = (whose: string): Option =>
  new Option("--token-file <file>", `a file whose first line is the bearer token for ${whose}`);

export const workloadCertsFlag = (): Option =>
  new Option(
    "--workload-certs <folder>",
    "the folder of the workload's own certificate, for mutual TLS in the mesh: cert-chain.pem, key.pem and root-cert.pem; watched",
  );

function upgradeProtocols(value: string): readonly string[] {
  if (value === "none") return [];
  const protocols = value.split(",").map((protocol) => protocol.trim().toLowerCase());
  const wrong = protocols.find((protocol) => !/^[a-z0-9!#$%&'*+.^_`|~/-]+$/.test(protocol));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`${JSON.stringify(wrong)} is not the name of a protocol.`);
  if (protocols.includes("h2c"))
    throw new InvalidArgumentError("Requests within an h2c connection would pass no policy.");
  return protocols;
}

/** A namespace is a DNS label (RFC 1123), as in documents. */
export function namespace(value: string): string {
  if (value.length > 63 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(value))
    throw new InvalidArgumentError('It must be a name such as shop, of lower-case letters, digits and "-".');
  return value;
}

/** Parser for repeatable options `name=value`, as Kubernetes writes labels; a repeated name gets the last value. */
export function label(value: string, previous: Labels = {}): Labels {
  const [, name, text] = /^([^=\s]+)=(\S*)$/.exec(value) ?? [];
  if (name === undefined || text === undefined)
    throw new InvalidArgumentError("It must be of the form name=value, such as app=reviews.");
  return { ...previous, [name]: text };
}

/** Parser for repeatable options. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

export function port(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number > 65_535)
    throw new InvalidArgumentError("It must be a port: a number from 0 to 65535.");
  return number;
}

/** Parses host names separated by commas; a leading dot means all names below it. */
export function hostNames(value: string, previous: readonly string[] = []): readonly string[] {
  const names = value.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !/^\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(name));
  if (wrong === undefined) return [...previous, ...names];
  throw new InvalidArgumentError(
    `${JSON.stringify(wrong)} is not a host name: write it without scheme and port, such as mixer.example.com, or .example.com for all names below it.`,
  );
}

export function count(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(value);
}

export function duration(value: string): number {
  const durationMs = parseDurationMs(value);
  if (durationMs === undefined)
    throw new InvalidArgumentError("It must be a duration, such as 500ms or 10s.");
  return durationMs;
}

export function url(value: string): string {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new InvalidArgumentError("It must be a URL, such as http://127.0.0.1:9092.");
  }
  return value;
}

/** Parses `HOST:PORT`, or a port on loopback. */
export function address(value: string): { readonly host: string; readonly port: number } {
  const [, host = "127.0.0.1", portText = ""] = /^(?:(.+):)?(\d+)$/.exec(value) ?? [];
  if (portText === "") throw new InvalidArgumentError("It must be an address, such as 127.0.0.1:9080.");
  return { host, port: port(portText) };
}

/** A number of worker processes; more than a machine has cores is legitimate, hundreds are a mistake. */
function workers(value: string): number {
  const number = count(value);
  if (number < 1 || number > 256) throw new InvalidArgumentError("It must be from 1 to 256.");
  return number;
}

/** A time in milliseconds since the epoch: ISO 8601, or a duration ago. */
export function time(value: string): number {
  const agoMs = parseDurationMs(value);
  const timeMs = agoMs === undefined ? Date.parse(value) : Date.now() - agoMs;
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError("It must be a time, such as 2026-01-01T00:00:00Z or 24h.");
  return timeMs;
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { perDuration } from "../../kernel/duration.ts";
import type { RunningMesh } from "../compose/run-mesh.ts";

/** Summary of a started mesh: addresses, and policies in force. */
export function meshSummary({
  snapshot,
  adminUrl,
  mixerUrl,
  pilotUrl,
  identityUrl,
  proxies,
}: RunningMesh): string {
  const rows: [string, string][] = [];
  for (const { node, proxy } of proxies) {
    const { listeners } = proxy.addresses();
    const name = node.role === "edge" ? "edge proxy" : `sidecar of ${node.service}`;
    rows.push([name, listeners.map(({ scheme, host, port }) => `${scheme}://${host}:${port}`).join(", ")]);
    if (node.role === "edge" && adminUrl !== undefined)
      rows.push(["proxy admin", `${adminUrl}/stats/prometheus`]);
  }
  rows.push(["mixer", `${mixerUrl}/metrics, ${mixerUrl}/v1/config`]);
  rows.push(["pilot", `${pilotUrl}/v1/registry`]);
  if (identityUrl !== undefined) rows.push(["identity", identityUrl]);
  return `Listening\n${table(rows)}\n\nPolicies (version ${snapshot.version})\n${table(policyRows(snapshot))}\n`;
}

function policyRows(snapshot: Snapshot): [string, string][] {
  const rows = [
    ...snapshot.accessPolicies.map(({ name, action, mode, location }) => [
      name,
      `${action}${mode === "shadow" ? ", in shadow" : ""}  ${location.file}:${location.line}`,
    ]),
    ...snapshot.quotaPolicies.map(({ name, limit, quota: { windowMs, algorithm }, location }) => [
      name,
      `${limit}${perDuration(windowMs)}, ${algorithm}  ${location.file}:${location.line}`,
    ]),
    ...snapshot.rules.map(({ name, location }) => [name, `rule  ${location.file}:${location.line}`]),
  ] as [string, string][];
  return rows.length === 0 ? [["none", "every request passes"]] : rows;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join("\n");
}

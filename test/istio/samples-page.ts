// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Sample } from "./load-samples.ts";

/** Title and source of each folder of samples. */
const SECTIONS: readonly (readonly [folder: string, title: string])[] = [
  ["bookinfo/", "Bookinfo"],
  ["httpbin/", "Httpbin"],
  ["helloworld/", "Helloworld"],
  ["api/virtual-service/", "VirtualService"],
  ["api/destination-rule/", "DestinationRule"],
  ["api/gateway/", "Gateway"],
  ["api/service-entry/", "ServiceEntry"],
  ["api/workload-entry/", "WorkloadEntry"],
  ["api/sidecar/", "Sidecar"],
  ["api/peer-authentication/", "PeerAuthentication"],
  ["api/request-authentication/", "RequestAuthentication"],
  ["api/authorization-policy/", "AuthorizationPolicy"],
  ["api/telemetry/", "Telemetry"],
];

/** The text of docs/reference/istio-samples.md. */
export function samplesPage(samples: readonly Sample[]): string {
  const rest = samples.filter(({ path }) => !SECTIONS.some(([folder]) => path.startsWith(folder)));
  if (rest.length > 0) throw new Error(`No section has the sample ${rest[0]?.path}`);
  const loading = samples.filter(isLoading).length;
  const sections = SECTIONS.map(([folder, title]) => {
    const rows = samples.filter(({ path }) => path.startsWith(folder));
    return `## ${title}\n\n| sample | kinds | result |\n|---|---|---|\n${rows.map((row) => rowOf(row, folder)).join("\n")}\n`;
  });
  return `# Istio's samples

${loading} of ${samples.length} samples load unchanged, ${((100 * loading) / samples.length).toFixed(1)} %. The first three
sections are Istio's samples of these names; the others have an example for each group of fields in the API reference of a
kind. The samples are copies of our own with the same fields and meaning, in \`test/istio/samples/\`.

Each sample is loaded alone, as \`purser run --skip-foreign\` does, together with \`test/istio/registry.yaml\`: Services of
Kubernetes and a few Pods. *Warns* counts references to a service, subset or Gateway that another sample declares: the
route answers 503 until its document is there ([routing.md](routing.md#references-that-are-not-there-yet)). It also counts
parts that have no effect here, each with its reason.

This page is made by \`npm run generated\`, and a test compares it.

${sections.join("\n")}`;
}

export function isLoading({ errors }: Sample): boolean {
  return errors.length === 0;
}

export function rowOf({ path, kinds, errors, warnings }: Sample, folder: string): string {
  const name = path.slice(folder.length).replace(/\.yaml$/, "");
  return `| ${name} | ${kinds.join(", ")} | ${resultOf(errors, warnings)} |`;
}

function resultOf(errors: readonly string[], warnings: readonly string[]): string {
  if (errors.length > 0) return `refused: ${[...new Set(errors.map(withoutCode))].map(cell).join("; ")}`;
  return warnings.length === 0 ? "loads" : `loads, warns ${warnings.length} ×`;
}

function withoutCode(message: string): string {
  return message.replace(/ \[PURSER_\w+\]$/, "");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("*", "\\*");
}

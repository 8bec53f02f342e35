// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type ConfigFault,
  HTTP_ACCESS,
  httpAccessFaults,
  MapOf,
  type Static,
  Type,
} from "../../plugins/sdk/index.ts";
import { labelName } from "./labels.ts";

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;

/** Loki's default of max_label_names_per_series. */
const MAX_LABELS = 15;

/** 16 values of 2048 bytes are half of Loki's max_structured_metadata_size, 64 KiB. */
const MAX_METADATA = 16;

const Sources = (description: string) => MapOf(Type.String(), { default: {}, description });

export const Config = Type.Object({
  url: Type.String({
    description:
      "Loki's address, such as http://loki:3100; entries are posted to /loki/api/v1/push below it. For VictoriaLogs, http://HOST:9428/insert.",
  }),
  ...HTTP_ACCESS,
  tenant: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z0-9!\\-_.*'()|]{1,150}$",
      description: "The tenant, sent as X-Scope-OrgID; needed when Loki has auth_enabled.",
    }),
  ),
  labels: MapOf(Type.String(), {
    default: { job: "purser" },
    description: "Labels of every entry, by name; at least one.",
  }),
  labelsFrom: Sources(
    "Labels by the name of the member of the line that has the value; a dot leads into an object. Use members with few values.",
  ),
  structuredMetadata: Sources(
    "Structured metadata by the name of the member of the line that has the value, such as trace_id: traceId; at most 16.",
  ),
  maxStreams: Type.Integer({
    minimum: 1,
    maximum: 100_000,
    default: 1000,
    description: "Maximum number of streams in an hour. Entries beyond it have the static labels only.",
  }),
  maxLineBytes: Type.Integer({
    minimum: 256,
    maximum: 16 * MEBIBYTE,
    default: 256 * KIBIBYTE,
    description:
      "Maximum size of a line, in bytes; members beyond it are left out. Loki's own default is 256 KiB.",
  }),
  maxBytes: Type.Integer({
    minimum: KIBIBYTE,
    maximum: 64 * MEBIBYTE,
    default: MEBIBYTE,
    description: "Maximum size of a request's body, in bytes. Larger batches are sent in halves.",
  }),
  redact: Type.Array(Type.String({ pattern: "^[^*\\s]+\\*?$" }), {
    default: [],
    description:
      "Attributes of decisions to redact, such as request.headers.x-session or request.query_params.*; credentials always are.",
  }),
});

export type LokiConfig = Static<typeof Config>;

/** Faults beyond the schema. */
export function faultsOf(config: LokiConfig): readonly ConfigFault[] {
  const { labels, labelsFrom, structuredMetadata } = config;
  const faults = [...httpAccessFaults(config, ["x-scope-orgid"])];
  const fault = (path: readonly string[], message: string): void => void faults.push({ path, message });
  if (Object.values(labels).every((value) => value === ""))
    fault(["labels"], "labels must have a label with a value: Loki takes no stream without one");
  const count = Object.keys(labels).length + Object.keys(labelsFrom).length;
  if (count > MAX_LABELS)
    fault(["labelsFrom"], `labels and labelsFrom have ${count} labels: Loki takes ${MAX_LABELS}`);
  const metadata = Object.keys(structuredMetadata).length;
  if (metadata > MAX_METADATA)
    fault(["structuredMetadata"], `structuredMetadata has ${metadata} names, more than ${MAX_METADATA}`);
  faults.push(...nameFaults({ labels, labelsFrom }), ...nameFaults({ structuredMetadata }));
  return faults;
}

/** Names that are empty, reserved or the same as another name once they are written as Loki demands. */
function nameFaults(
  fields: Readonly<Record<string, Readonly<Record<string, string>>>>,
): readonly ConfigFault[] {
  const faults: ConfigFault[] = [];
  const seen = new Map<string, string>();
  for (const [field, names] of Object.entries(fields))
    for (const name of Object.keys(names)) {
      const written = labelName(name);
      const other = seen.get(written);
      if (other !== undefined)
        faults.push({ path: [field, name], message: `${name} and ${other} are both the label ${written}` });
      else if (written.startsWith("__"))
        faults.push({ path: [field, name], message: `${name} begins with __, which Loki reserves` });
      seen.set(written, name);
    }
  return faults;
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { annotatedExportTo, isExportedTo } from "../../core/documents/kinds/export-to.ts";
import type { TrafficDocument, TrafficDocuments } from "../../core/snapshot/snapshot.ts";

/** The documents without those that their `exportTo` hides from proxies of the namespace. */
export function documentsExportedTo(namespace: string, documents: TrafficDocuments): TrafficDocuments {
  const exported = <S extends { readonly exportTo?: readonly string[] }>(
    of: readonly TrafficDocument<S>[],
  ): readonly TrafficDocument<S>[] =>
    of.filter(({ metadata, spec }) => isExportedTo(spec.exportTo, metadata.namespace, namespace));
  return {
    ...documents,
    serviceEntries: exported(documents.serviceEntries),
    virtualServices: exported(documents.virtualServices),
    destinationRules: exported(documents.destinationRules),
    healthChecks: exported(documents.healthChecks),
    overloads: exported(documents.overloads),
    ...(documents.kubernetes === undefined
      ? {}
      : {
          kubernetes: {
            ...documents.kubernetes,
            services: documents.kubernetes.services.filter(({ metadata }) =>
              isExportedTo(annotatedExportTo(metadata.annotations), metadata.namespace, namespace),
            ),
          },
        }),
  };
}

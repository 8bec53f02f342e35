// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { FORM_KEYWORD } from "../schema/form.ts";

/** Fields that Istio's settings of TLS share, for clients and servers. */

/** Path of a PEM file on the proxy's host. */
export function PemFile(description: string) {
  return Type.Optional(Type.String({ minLength: 1, maxLength: 4_096, description }));
}

/** The name is a folder's, so it has no slash and does not begin with a dot. */
export function CredentialName() {
  return Type.Optional(
    Type.String({
      pattern: "^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$",
      maxLength: 253,
      description:
        "A folder of the proxy's folder of credentials (`--credentials`), with the files tls.crt, tls.key and ca.crt, in place of the fields that name files.",
      [FORM_KEYWORD]: "a name of lower-case letters, digits, - and .",
    }),
  );
}

/** Refuses fields that have no effect beside another. @param where The place in the spec. */
export function uselessFields<F extends string>(
  settings: { readonly [Field in F]?: unknown },
  fields: readonly F[],
  where: readonly (string | number)[],
  reason: string,
): readonly SpecFault[] {
  return fields.flatMap((field) =>
    settings[field] === undefined
      ? []
      : [{ path: [...where, field], message: `${field} has no effect ${reason}` }],
  );
}

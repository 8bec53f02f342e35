// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import type { NamedSchema } from "./operation.ts";

type Json = Readonly<Record<string, unknown>>;

/** The named schemas of a document, each written once. */
export class Components {
  readonly schemas = new Map<string, Json>();
  readonly #sources = new Map<string, TSchema>();

  /** A media type object: a reference to a named schema, or the schema itself. */
  media(message: NamedSchema | TSchema): Json {
    return { schema: isNamed(message) ? this.#reference(message) : this.inline(message) };
  }

  inline(schema: TSchema): Json {
    // TypeBox keeps its own marks in properties that JSON does not show.
    return JSON.parse(JSON.stringify(schema)) as Json;
  }

  /** @throws {Error} when two schemas have one name, which is a mistake in the code. */
  #reference({ name, schema }: NamedSchema): Json {
    const source = this.#sources.get(name);
    if (source !== undefined && source !== schema) throw new Error(`two schemas have the name ${name}`);
    if (source === undefined) {
      this.#sources.set(name, schema);
      this.schemas.set(name, this.inline(schema));
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

function isNamed(message: NamedSchema | TSchema): message is NamedSchema {
  return "schema" in message;
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseDocuments } from "../core/documents/parse-documents.ts";
import { builtInManifest } from "./built-in-manifest.ts";

const FILE = new URL("../policies/attribute-manifest.yaml", import.meta.url);

describe("the built-in attribute manifest", () => {
  it("is the document in policies/, which has no fault", () => {
    const { documents, diagnostics } = parseDocuments({ path: "m.yaml", text: readFileSync(FILE, "utf8") });
    assert.deepEqual(diagnostics, []);
    const [built] = builtInManifest().documents;
    assert.deepEqual(
      documents.map(({ definition, metadata, spec, valid }) => ({ definition, metadata, spec, valid })),
      [
        {
          definition: built?.definition,
          metadata: built?.metadata,
          spec: built?.spec,
          valid: true,
        },
      ],
    );
  });

  it("knows the places of its attributes in the file", () => {
    const [built] = builtInManifest().documents;
    const place = built?.places.key(["spec", "attributes", "source.ip"]);
    assert.match(place?.file ?? "", /policies\/attribute-manifest\.yaml$/);
    const lines = readFileSync(FILE, "utf8").split("\n");
    assert.match(lines[(place?.line ?? 0) - 1] ?? "", /^ {4}source\.ip:/);
    assert.equal(built?.location.file, place?.file);
  });
});

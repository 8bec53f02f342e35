// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KINDS } from "../core/documents/catalog.ts";
import { parseDocuments } from "../core/documents/parse-documents.ts";
import {
  contentsOf,
  faultsOfEmptiness,
  POLICIES,
  type Purpose,
  ROUTES,
  type SetContents,
} from "./emptiness.ts";
import { DEFAULT_SIZE_LIMITS, readFiles } from "./read-files.ts";

const POLICY =
  "apiVersion: purser.dev/v1\nkind: AccessPolicy\nmetadata: { name: p }\nspec: { action: DENY }\n";
const METRIC =
  "apiVersion: purser.dev/v1\nkind: Metric\nmetadata: { name: m }\nspec: { value: 1, handlers: [h] }\n";
const MANIFEST =
  "apiVersion: purser.dev/v1\nkind: AttributeManifest\nmetadata: { name: a }\nspec: { attributes: {} }\n";
const TEST =
  "apiVersion: purser.dev/v1\nkind: PolicyTest\nmetadata: { name: t }\nspec: { policies: [.], cases: [] }\n";
const ROUTE =
  "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: v }\nspec: { hosts: [a] }\n";
const EMPTY = "apiVersion: purser.dev/v1\nkind: EmptySet\nmetadata: { name: e }\nspec: { reason: not yet }\n";

describe("an empty set", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-empty-"));
    for (const place of ["policies", "routes"]) mkdirSync(join(folder, place));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const remove = (name: string): void => rmSync(join(folder, name), { recursive: true });

  const read = async (paths: readonly string[]): Promise<SetContents & { readonly unreadable: boolean }> => {
    const set = await readFiles(paths, DEFAULT_SIZE_LIMITS);
    return {
      ...contentsOf(
        set,
        set.files.map((file) => parseDocuments(file)),
      ),
      unreadable: set.diagnostics.length > 0,
    };
  };

  /** The faulty files, relative to the test's folder. */
  const faults = (
    set: SetContents,
    paths: readonly string[],
    purposes: readonly Purpose[],
    inForce?: SetContents,
  ) =>
    faultsOfEmptiness(set, paths, purposes, inForce).map(({ code, location }) => {
      assert.equal(code, "PURSER_CONFIG_EMPTY");
      return location.file === folder ? "." : location.file.slice(folder.length + 1);
    });

  type Files = Readonly<Record<string, string>>;

  describe("at the start", () => {
    const both = ["policies", "routes"];
    const cases: ReadonlyArray<
      readonly [
        what: string,
        files: Files,
        paths: readonly string[],
        purposes: readonly Purpose[],
        faults: readonly string[],
      ]
    > = [
      ["has no file", {}, ["policies"], [POLICIES], ["policies"]],
      [
        "has files of other names",
        { "policies/a.yaml.bak": POLICY, "policies/a.txt": POLICY },
        ["policies"],
        [POLICIES],
        ["policies"],
      ],
      ["has hidden files", { "policies/.a.yaml": POLICY }, ["policies"], [POLICIES], ["policies"]],
      ["has a file without documents", { "policies/a.yaml": "" }, ["policies"], [POLICIES], ["policies"]],
      [
        "has comments",
        { "policies/a.yaml": "# all gone\n---\n---\n" },
        ["policies"],
        [POLICIES],
        ["policies"],
      ],
      [
        "is one file without documents",
        { "policies/a.yaml": "---\n" },
        ["policies/a.yaml"],
        [POLICIES],
        ["policies/a.yaml"],
      ],
      ["has one path of two", { "policies/a.yaml": POLICY }, both, [POLICIES, ROUTES], ["routes"]],
      [
        "has one path of two, the other way",
        { "routes/a.yaml": ROUTE },
        both,
        [POLICIES, ROUTES],
        ["policies"],
      ],
      ["has routes, for a mixer", { "routes/a.yaml": ROUTE }, ["routes"], [POLICIES], ["routes"]],
      ["has policies, for pilot", { "policies/a.yaml": POLICY }, ["policies"], [ROUTES], ["policies"]],
      [
        "has tests and manifests alone",
        { "policies/a.yaml": `${TEST}---\n${MANIFEST}` },
        ["policies"],
        [POLICIES, ROUTES],
        ["policies"],
      ],
      ["has a policy", { "policies/a.yaml": POLICY }, ["policies"], [POLICIES], []],
      ["has telemetry alone", { "policies/a.yaml": METRIC }, ["policies"], [POLICIES], []],
      ["has routes alone, for a whole mesh", { "routes/a.yaml": ROUTE }, ["routes"], [POLICIES, ROUTES], []],
      ["has a policy below an empty-looking folder", { "policies/a.yaml": POLICY }, ["."], [POLICIES], []],
      ["is marked", { "policies/a.yaml": EMPTY }, ["policies"], [POLICIES], []],
      [
        "is marked in one path, for what is in another",
        { "policies/a.yaml": EMPTY, "routes/a.yaml": ROUTE },
        both,
        [POLICIES],
        [],
      ],
      [
        "is marked in one path, with nothing in another",
        { "policies/a.yaml": EMPTY },
        both,
        [POLICIES],
        ["routes"],
      ],
    ];
    for (const [what, files, paths, purposes, expected] of cases) {
      it(`${expected.length > 0 ? "is" : "is not"} refused when the set ${what}`, async () => {
        for (const [name, text] of Object.entries(files)) put(name, text);
        const given = paths.map((path) => join(folder, path));
        assert.deepEqual(faults(await read(given), given, purposes), expected);
      });
    }
  });

  describe("while another one is in force", () => {
    const cases: ReadonlyArray<
      readonly [what: string, change: () => void, purposes: readonly Purpose[], faults: readonly string[]]
    > = [
      ["nothing changed", () => {}, [POLICIES, ROUTES], []],
      ["a folder's files are gone", () => remove("policies/a.yaml"), [POLICIES, ROUTES], ["policies"]],
      [
        "a folder's files are gone, and not of this process",
        () => remove("policies/a.yaml"),
        [ROUTES],
        ["policies"],
      ],
      [
        "a folder's file is truncated",
        () => truncateSync(join(folder, "policies/a.yaml")),
        [POLICIES],
        ["policies", "policies/a.yaml"],
      ],
      [
        "one file of two is truncated, as by a write on a full disk",
        () => {
          put("policies/b.yaml", METRIC);
          truncateSync(join(folder, "policies/a.yaml"));
        },
        [POLICIES],
        ["policies/a.yaml"],
      ],
      [
        "one file of two has comments in place of its document",
        () => {
          put("policies/b.yaml", METRIC);
          put("policies/a.yaml", POLICY.replace(/^/gm, "# "));
        },
        [POLICIES],
        [],
      ],
      [
        "a folder's file is renamed",
        () => renameSync(join(folder, "policies/a.yaml"), join(folder, "policies/a.off")),
        [POLICIES],
        ["policies"],
      ],
      [
        "a folder is replaced by a link to an empty one",
        () => {
          remove("policies");
          mkdirSync(join(folder, ".void"));
          symlinkSync(join(folder, ".void"), join(folder, "policies"));
        },
        [POLICIES],
        ["policies"],
      ],
      [
        "all files are gone",
        () => {
          remove("policies/a.yaml");
          remove("routes/a.yaml");
        },
        [POLICIES, ROUTES],
        [".", "policies", "routes"],
      ],
      ["a folder is gone with the last policy", () => remove("policies"), [POLICIES, ROUTES], ["."]],
      ["a folder is gone with the last route", () => remove("routes"), [POLICIES, ROUTES], ["."]],
      ["a folder is gone whose kinds do not matter here", () => remove("routes"), [POLICIES], []],
      [
        "a folder is gone, and its documents moved",
        () => {
          remove("policies");
          put("routes/b.yaml", METRIC);
        },
        [POLICIES, ROUTES],
        [],
      ],
      [
        "one file of two is gone",
        () => {
          put("policies/b.yaml", METRIC);
          remove("policies/a.yaml");
        },
        [POLICIES, ROUTES],
        [],
      ],
      [
        "a folder is marked as empty",
        () => {
          remove("policies/a.yaml");
          put("policies/e.yaml", EMPTY);
        },
        [POLICIES, ROUTES],
        [],
      ],
      ["a new folder is empty", () => mkdirSync(join(folder, "more")), [POLICIES, ROUTES], []],
    ];
    for (const [what, change, purposes, expected] of cases) {
      it(`${expected.length > 0 ? "is" : "is not"} refused when ${what}`, async () => {
        put("policies/a.yaml", POLICY);
        put("routes/a.yaml", ROUTE);
        const before = await read([folder]);
        change();
        const after = await read([folder]);
        assert.equal(after.unreadable, false);
        assert.deepEqual(faults(after, [folder], purposes, before).toSorted(), expected.toSorted());
      });
    }
  });

  it("is another fault than a missing folder or a dangling link", async () => {
    symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
    for (const path of ["missing", "dangling"])
      assert.equal((await read([join(folder, path)])).unreadable, true);
  });

  it("depends on every kind except those that neither decide, report nor route", () => {
    const served = [...POLICIES.kinds, ...ROUTES.kinds];
    const others = KINDS.map(({ kind }) => kind).filter((kind) => !served.includes(kind));
    assert.deepEqual(others, ["AttributeManifest", "MeshConfig", "PolicyTest", "EmptySet"]);
  });
});

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";

// Reads declaration files (.d.ts) as the compiler writes them: a statement begins at the start of a line, and the
// lines inside it are indented or close it.

/** Declarations as text, a statement each, in the order of names. */
export interface Surface {
  /** Declarations that each module exports. */
  readonly exported: readonly (readonly string[])[];
  /** Declarations that exported ones refer to and that no module exports. */
  readonly internal: readonly string[];
}

interface DeclarationFile {
  /** The declarations of a name; a function may have several. */
  readonly declared: ReadonlyMap<string, readonly string[]>;
  /** Imported and re-exported names. */
  readonly imported: ReadonlyMap<string, Origin>;
  readonly reexported: ReadonlyMap<string, Origin>;
}

/** A name in another file of the same folder tree, or in a package. */
interface Origin {
  readonly name: string;
  readonly from: string;
}

/** A declaration to list. */
interface Entry {
  readonly file: string;
  readonly name: string;
  /** The exporting module's map and its name there; absent for an internal declaration. */
  readonly exportedTo?: { readonly map: Map<string, string>; readonly as: string };
}

/** The surface of modules; paths are relative to `root`, without `.d.ts`. */
export function surfaceOf(root: string, paths: readonly string[]): Surface {
  const files = new Map<string, DeclarationFile>();
  const read = (file: string): DeclarationFile => {
    const known = files.get(file) ?? parse(readFileSync(`${root}${file}.d.ts`, "utf8"), file);
    files.set(file, known);
    return known;
  };
  const exported = paths.map(() => new Map<string, string>());
  const internal = new Map<string, string>();
  const queue: Entry[] = paths.flatMap((path, index) => {
    const map = exported[index] as Map<string, string>;
    const { declared, reexported } = read(path);
    return [
      ...[...declared.keys()].map((name) => ({ file: path, name, exportedTo: { map, as: name } })),
      ...[...reexported].flatMap(([as, { name, from }]) => {
        if (!from.startsWith(PACKAGE)) return [{ file: from, name, exportedTo: { map, as } }];
        map.set(as, `export { ${name} as ${as} } from "${from.slice(PACKAGE.length)}";`);
        return [];
      }),
    ];
  });
  // Exported names come first in the queue, so that none of them is listed as internal.
  const seen = new Set(queue.map(({ file, name }) => `${file} ${name}`));
  for (const entry of queue) {
    const { file, name, exportedTo } = entry;
    const { declared, imported, reexported } = read(file);
    const text = declared.get(name)?.join("\n");
    if (text === undefined) {
      const origin = reexported.get(name) ?? imported.get(name);
      if (origin !== undefined && !origin.from.startsWith(PACKAGE))
        queue.push({ ...entry, file: origin.from, name: origin.name });
      continue;
    }
    if (exportedTo === undefined) internal.set(`${name} ${file}`, briefly(text.replace(/^export /gm, "")));
    else exportedTo.map.set(exportedTo.as, text);
    for (const word of new Set(text.match(/[A-Za-z_$][\w$]*/g))) {
      const origin = imported.get(word) ?? (declared.has(word) ? { name: word, from: file } : undefined);
      if (origin === undefined || origin.from.startsWith(PACKAGE)) continue;
      if (seen.has(`${origin.from} ${origin.name}`)) continue;
      seen.add(`${origin.from} ${origin.name}`);
      queue.push({ file: origin.from, name: origin.name });
    }
  }
  return { exported: exported.map(inOrder), internal: inOrder(internal) };
}

/** A table of constants with its first level alone: types use its keys. */
function briefly(text: string): string {
  return /^(?:declare )?const /.test(text) ? text.replace(/\{\n {8}[^]*?\n {4}\}/g, "{ … }") : text;
}

/** Marks the specifier of a package. */
const PACKAGE = "package:";

function inOrder(texts: ReadonlyMap<string, string>): readonly string[] {
  return [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
}

function parse(text: string, file: string): DeclarationFile {
  const declared = new Map<string, string[]>();
  const imported = new Map<string, Origin>();
  const reexported = new Map<string, Origin>();
  for (const statement of statementsOf(text)) {
    const link = /^(import|export)(?: type)? (?:\{([^}]*)\}|(\w+)) from "([^"]+)";$/.exec(statement);
    if (link === null) {
      const name = nameOf(statement);
      if (name === "") continue;
      declared.set(name, [...(declared.get(name) ?? []), statement.replace(/^export declare /, "export ")]);
      continue;
    }
    const [, word, list, single, specifier = ""] = link;
    const from = specifier.startsWith(".")
      ? join(dirname(file), specifier).replace(/\.(ts|js)$/, "")
      : PACKAGE + specifier;
    const target = word === "import" ? imported : reexported;
    if (single !== undefined) target.set(single, { name: "default", from });
    for (const part of (list ?? "").split(",")) {
      const [name = "", as = name] = part
        .trim()
        .replace(/^type /, "")
        .split(" as ");
      if (name !== "") target.set(as, { name, from });
    }
  }
  return { declared, imported, reexported };
}

/** The top-level statements of a file, without comments. */
function statementsOf(text: string): readonly string[] {
  const statements: string[] = [];
  const bare = text.replace(/^ *\/\*\*?[^]*?\*\/\n?/gm, "").replace(/^ *\/\/.*\n?/gm, "");
  for (const line of bare.split("\n")) {
    if (/^[A-Za-z]/.test(line)) statements.push(line);
    else if (line.trim() !== "" && statements.length > 0)
      statements[statements.length - 1] += `\n${line.trimEnd()}`;
  }
  return statements;
}

function nameOf(statement: string): string {
  const declaration =
    /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|function|const|let|class|enum|namespace) ([\w$]+)/;
  return declaration.exec(statement)?.[1] ?? "";
}

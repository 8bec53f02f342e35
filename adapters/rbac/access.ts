// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AuthorizationInstance, ConfigFault } from "../../plugins/sdk/index.ts";
import type { Config, PropertyGlobsConfig, RuleConfig, SubjectConfig } from "./config.ts";
import { compileGlobs, type TextMatcher } from "./globs.ts";
import { groupsOf, textsOf } from "./values.ts";

type Path = ConfigFault["path"];
type Action = AuthorizationInstance["action"];

/** A subject with its groups as a list. */
interface Subject {
  readonly user: string | undefined;
  readonly groups: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A compiled part of a rule or subject: all parts must hold. */
type Condition<T> = (value: T) => boolean;

interface Role {
  readonly name: string;
  readonly rules: readonly (readonly Condition<Action>[])[];
  readonly subjects: (readonly Condition<Subject>[])[];
}

/** Roles and bindings, compiled: no pattern is compiled while a request waits. */
export class Access {
  readonly faults: readonly ConfigFault[];
  readonly #roles: readonly Role[];

  constructor({ roles, bindings }: Pick<Config, "roles" | "bindings">) {
    const compiler = new Compiler();
    const compiled = new Map<string, Role>();
    for (const [name, { rules }] of Object.entries(roles)) {
      const parts = rules.map((rule, index) => compiler.rule(rule, ["roles", name, "rules", index]));
      compiled.set(name, { name, rules: parts, subjects: [] });
    }
    for (const [index, { role: name, subjects }] of bindings.entries()) {
      const role = compiled.get(name);
      if (role === undefined) compiler.unknownRole(name, [...compiled.keys()], ["bindings", index, "role"]);
      for (const [at, subject] of subjects.entries()) {
        const parts = compiler.subject(subject, ["bindings", index, "subjects", at]);
        role?.subjects.push(parts);
      }
    }
    this.faults = compiler.faults;
    this.#roles = [...compiled.values()].filter(({ subjects }) => subjects.length > 0);
  }

  /** The first role, in the document's order, that permits the action to the subject; undefined when none does. */
  roleFor({ subject, action }: Pick<AuthorizationInstance, "subject" | "action">): string | undefined {
    let who: Subject | undefined;
    for (const { name, rules, subjects } of this.#roles) {
      if (!rules.some((rule) => holds(rule, action))) continue;
      who ??= { user: subject.user, groups: groupsOf(subject.groups), properties: subject.properties };
      const asked = who;
      if (subjects.some((parts) => holds(parts, asked))) return name;
    }
    return undefined;
  }
}

function holds<T>(conditions: readonly Condition<T>[], value: T): boolean {
  return conditions.every((condition) => condition(value));
}

/** Compiles the parts of a configuration, and collects its faults. */
class Compiler {
  readonly faults: ConfigFault[] = [];

  rule(rule: RuleConfig, path: Path): readonly Condition<Action>[] {
    const conditions = [
      ...this.#field<Action>(rule.namespaces, [...path, "namespaces"], ({ namespace }) => namespace),
      ...this.#field<Action>(rule.services, [...path, "services"], ({ service }) => service),
      ...this.#field<Action>(rule.methods, [...path, "methods"], ({ method }) => method),
      ...this.#field<Action>(rule.paths, [...path, "paths"], (action) => action.path),
      ...this.#properties<Action>(rule.constraints, [...path, "constraints"]),
    ];
    if (conditions.length === 0)
      this.#fault(
        path,
        'the rule is empty and would permit everything: write services: ["**"] for every service',
      );
    return conditions;
  }

  subject(subject: SubjectConfig, path: Path): readonly Condition<Subject>[] {
    const { anyone, users, groups, properties } = subject;
    const groupMatcher = this.#globs(groups, [...path, "groups"]);
    const conditions = [
      ...this.#field<Subject>(users, [...path, "users"], ({ user }) => user),
      ...(groupMatcher === undefined ? [] : [(who: Subject) => who.groups.some(groupMatcher)]),
      ...this.#properties<Subject>(properties, [...path, "properties"]),
    ];
    if (anyone === true && conditions.length > 0)
      this.#fault(path, "anyone excludes users, groups and properties: write another subject for them");
    if (anyone !== true && conditions.length === 0)
      this.#fault(path, "the subject is empty: write users, groups, properties, or anyone: true");
    return conditions;
  }

  unknownRole(name: string, known: readonly string[], path: Path): void {
    const choices = known.length === 0 ? "there are no roles" : `the roles are ${known.join(", ")}`;
    this.#fault(path, `no role is named "${name}": ${choices}`);
  }

  #field<T>(
    globs: readonly string[] | undefined,
    path: Path,
    textOf: (value: T) => string | undefined,
  ): readonly Condition<T>[] {
    const matches = this.#globs(globs, path);
    if (matches === undefined) return [];
    return [
      (value) => {
        const text = textOf(value);
        return text !== undefined && matches(text);
      },
    ];
  }

  #properties<T extends { readonly properties: Readonly<Record<string, unknown>> }>(
    globs: PropertyGlobsConfig | undefined,
    path: Path,
  ): readonly Condition<T>[] {
    return Object.entries(globs ?? {}).flatMap(([name, texts]) => {
      const matches = this.#globs(texts, [...path, name]);
      if (matches === undefined) return [];
      return [
        ({ properties }: T) => Object.hasOwn(properties, name) && textsOf(properties[name]).some(matches),
      ];
    });
  }

  #globs(globs: readonly string[] | undefined, path: Path): TextMatcher | undefined {
    if (globs === undefined) return undefined;
    return compileGlobs(globs, (index, message) => this.#fault([...path, index], message));
  }

  #fault(path: Path, message: string): void {
    this.faults.push({ path, message });
  }
}

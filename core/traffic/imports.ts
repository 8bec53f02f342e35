// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalHost, hostCovers, hostIntersection } from "./host-name.ts";

/** An entry of the hosts that a Sidecar imports: `NAMESPACE/HOST`. */
interface Import {
  /** `*` for any; `~`, which is no namespace's name, for none. */
  readonly namespace: string;
  readonly host: string;
}

/** The hosts that a list of imports covers. */
export class Imports {
  readonly #entries: readonly Import[];

  /** @param own The workload's namespace, which `.` is in a Sidecar of the root namespace too. */
  constructor(hosts: readonly string[], own: string) {
    this.#entries = hosts.map((written) => {
      const slash = written.indexOf("/");
      const namespace = written.slice(0, slash);
      return { namespace: namespace === "." ? own : namespace, host: written.slice(slash + 1) };
    });
  }

  /** @param host Canonical. */
  hasService(namespace: string, host: string): boolean {
    return this.#of(namespace).some((each) => hostCovers(canonicalHost(each.host, namespace), host));
  }

  /**
   * A route with `*.example.com` is imported by `api.example.com`, and the other way round: hosts need only overlap.
   *
   * @param host Canonical.
   */
  hasRoute(namespace: string, host: string): boolean {
    return this.#of(namespace).some(
      (each) => hostIntersection(canonicalHost(each.host, namespace), host) !== undefined,
    );
  }

  #of(namespace: string): readonly Import[] {
    return this.#entries.filter((each) => each.namespace === "*" || each.namespace === namespace);
  }
}

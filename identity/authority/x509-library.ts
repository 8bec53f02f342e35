// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { webcrypto } from "node:crypto";
import type * as X509 from "@peculiar/x509";

export type X509Library = typeof X509;

let loaded: Promise<X509Library> | undefined;

/** The library for X.509, loaded at its first use: it takes about 150 ms and patches `Reflect`. */
export function loadX509(): Promise<X509Library> {
  return (loaded ??= load());
}

async function load(): Promise<X509Library> {
  // The library's dependency container refuses to load without it.
  await import("reflect-metadata");
  const x509 = await import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

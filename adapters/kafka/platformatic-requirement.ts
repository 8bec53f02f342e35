// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";

/** The package's oldest version of Node (its `engines`, 2.12.1). */
const OLDEST = { major: 22, minor: 22 };

const PACKAGE = "@platformatic/kafka";

interface Resolver {
  resolve(specifier: string): string;
}

/** Why a process with this version of Node, which finds packages by `require`, cannot run the driver platformatic; undefined when it can. */
export function platformaticFault(version = process.version, require?: Resolver): string | undefined {
  return driverFault(version) ?? (isDriverInstalled(require) ? undefined : INSTALL_MESSAGE);
}

/** Why this version of Node cannot run the driver platformatic; undefined when it can. */
export function driverFault(version: string): string | undefined {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return undefined;
  return `the driver platformatic needs Node ${OLDEST.major}.${OLDEST.minor} or newer, and this is ${version}: use driver: kafkajs`;
}

/** Whether the package is installed where Purser finds it. It is an optional peer: the user installs it. */
export function isDriverInstalled(require: Resolver = createRequire(import.meta.url)): boolean {
  try {
    require.resolve(PACKAGE);
    return true;
  } catch (error) {
    // A package for `import` alone is found, and then refused for another reason.
    return (error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND";
  }
}

const INSTALL_MESSAGE = `the driver platformatic needs the package ${PACKAGE}: run npm install ${PACKAGE}, or use driver: kafkajs`;

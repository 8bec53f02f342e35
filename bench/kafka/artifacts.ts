// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../machine/find-program.ts";

/** Apache Kafka from Maven Central; the last line of releases that Java 17 runs. */
const VERSION = "4.1.0";
const FETCH_DEADLINE_MS = 180_000;

/** The programs and jars that run a broker. */
export interface KafkaArtifacts {
  readonly version: string;
  readonly java: string;
  /** For `java -cp`. */
  readonly classPath: string;
}

/**
 * Kafka's jars, fetched once into `~/.cache/purser`, which takes half a minute the first time. Resolves with the reason when
 * Java, Maven or Maven Central is missing.
 */
export async function findKafka(): Promise<KafkaArtifacts | { readonly missing: string }> {
  const java = findProgram("java");
  if (java === undefined) return { missing: "java not found on PATH" };
  const folder = join(homedir(), ".cache", "purser", `kafka-${VERSION}`);
  if (!existsSync(folder)) {
    const maven = findProgram("mvn");
    if (maven === undefined) return { missing: "mvn not found on PATH" };
    try {
      await fetchInto(folder, maven);
    } catch (error) {
      return { missing: `Kafka ${VERSION} could not be fetched: ${String(error)}` };
    }
  }
  return { version: VERSION, java, classPath: join(folder, "*") };
}

/** The folder appears at once, with all jars: other test processes may look for it. */
async function fetchInto(folder: string, maven: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    const pom = join(work, "pom.xml");
    writeFileSync(
      pom,
      `<project><modelVersion>4.0.0</modelVersion><groupId>purser</groupId><artifactId>test</artifactId><version>1</version>
<dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
</dependencies></project>`,
    );
    const jars = join(work, "jars");
    const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", `-DoutputDirectory=${jars}`];
    await promisify(execFile)(maven, ["-q", "-B", "-f", pom, ...goal], { timeout: FETCH_DEADLINE_MS });
    if (!existsSync(folder)) renameSync(jars, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { describeAdapterContract } from "../../plugins/sdk/testing/index.ts";
import { kafka } from "./index.ts";
import { driverFault } from "./platformatic-requirement.ts";

const DRIVERS = driverFault(process.version) === undefined ? ["kafkajs", "platformatic"] : ["kafkajs"];

for (const driver of DRIVERS) {
  describe(`with the driver ${driver}`, () => {
    describeAdapterContract(kafka, {
      backend: { config: ({ host, port }) => ({ driver, brokers: [`${host}:${port}`] }) },
    });
  });
}

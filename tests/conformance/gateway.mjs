// A whole gateway for as long as `use` runs, with its data in a folder that is removed afterwards.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const COMMAND = new URL("../../.venv/bin/payments-gateway", import.meta.url).pathname;
const ADDRESS = /GraphiQL\s+(\S+)/;

export async function withGateway(use) {
  const folder = await mkdtemp(join(tmpdir(), "payments-conformance-"));
  const gateway = spawn(process.env.GATEWAY ?? COMMAND, ["develop"], {
    env: { ...process.env, DATA_FOLDER: folder, PORT: "0", SANDBOX_PORT: "0", LOG_LEVEL: "ERROR" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    return await use(await addressOf(gateway));
  } finally {
    await ended(gateway);
    await rm(folder, { recursive: true });
  }
}

async function addressOf(gateway) {
  for await (const line of createInterface({ input: gateway.stdout })) {
    const found = ADDRESS.exec(line);
    if (found) {
      gateway.stdout.resume();
      return found[1];
    }
  }
  throw new Error("The gateway ended before it was ready.");
}

async function ended(gateway) {
  if (gateway.exitCode !== null) return;
  gateway.kill("SIGTERM");
  await once(gateway, "exit");
}

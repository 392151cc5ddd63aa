// Asks Postroom to describe itself and writes src/generated/: the types of both APIs, the catalogue of refusals and the
// permissions of each role. Set PYTHON if Postroom is not installed in ../.venv.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));
const generated = fileURLToPath(new URL("../src/generated/", import.meta.url));
const python = process.env.PYTHON ?? `${root}.venv/bin/python`;
const NOTE = "// Printed by ui/scripts/types.mjs; not to be edited.\n\n";

// Written only when it differs: the build tools look at times.
function write(name, text) {
  const path = generated + name;
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
}

const described = JSON.parse(
  execFileSync(python, [`${root}scripts/openapi.py`], {
    maxBuffer: 64e6,
    env: { ...process.env, PYTHONPATH: `${root}src` },
  }),
);
mkdirSync(generated, { recursive: true });
for (const name of ["v1", "console"]) {
  // Paths name the operations here; names of their own are for other generators, and need not be unique.
  for (const operation of Object.values(described[name].paths).flatMap(Object.values))
    delete operation.operationId;
  write(`${name}.d.ts`, NOTE + astToString(await openapiTS(described[name], { defaultNonNullable: false })));
}
write("refusals.json", JSON.stringify(described.refusals, null, 1));
write("permissions.json", JSON.stringify(described.permissions, null, 1));

// Writes the contract's types for TypeScript: `node types.mjs WIT WORLD FOLDER`.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generateGuestTypes } from "@bytecodealliance/jco-transpile";

const [wit, worldName, folder] = process.argv.slice(2);
const files = await generateGuestTypes(wit, { worldName });
for (const [name, text] of Object.entries(files)) {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

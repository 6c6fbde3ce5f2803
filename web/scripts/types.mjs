// Writes src/protocol/generated.ts anew: `npm run types`.
import { readFile, writeFile } from "node:fs/promises";
import { generate } from "./generate.mjs";

const from = new URL("../../docs/asyncapi.json", import.meta.url);
await writeFile(
  new URL("../src/protocol/generated.ts", import.meta.url),
  await generate(JSON.parse(await readFile(from, "utf8"))),
);

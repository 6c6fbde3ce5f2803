import { defineConfig } from "vitest/config";

// `npm run dev` serves the page with hot reload and passes the rest on to a running emulator (`make run`).
const emulator = "127.0.0.1:3001";

export default defineConfig({
  base: "./",
  build: { outDir: "dist", target: "es2022", sourcemap: true },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/token": `http://${emulator}`,
      "/live": { target: `ws://${emulator}`, ws: true },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});

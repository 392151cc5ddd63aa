import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const dist = fileURLToPath(new URL("../src/postroom/web/dashboard/dist", import.meta.url));
const SMALLEST = 1024; // below that packing saves nothing

// Postroom serves a packed file as it lies there, and packs none by itself.
function packed(): Plugin {
  return {
    name: "packed",
    apply: "build",
    writeBundle() {
      for (const name of readdirSync(`${dist}/assets`)) {
        const content = readFileSync(`${dist}/assets/${name}`);
        if (content.length < SMALLEST || name.endsWith(".woff2")) continue;
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
        writeFileSync(`${dist}/assets/${name}.br`, brotliCompressSync(content, quality));
        writeFileSync(`${dist}/assets/${name}.gz`, gzipSync(content));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), packed()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    outDir: dist,
    emptyOutDir: true,
    // Nothing inline: the pages' policy forbids it for scripts, and fonts are cached better as files.
    assetsInlineLimit: 0,
    // The first ones that know light-dark(). For older ones it is rewritten in a way that does not see Mantine's scheme.
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  // `npm run dev` beside a running Postroom; POSTROOM says where that is.
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/console", "/health", "/refusals"].map((path) => [
        path,
        process.env.POSTROOM ?? "http://localhost:8025",
      ]),
    ),
  },
  test: { include: ["src/**/*.test.ts"] },
});

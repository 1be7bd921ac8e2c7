import { defineConfig } from "vite";

// Fixed names: the server knows its files by name and never builds a path from a request. A chunk that is not in this
// table would be built and answered with 404: the build stops instead.
const CHUNKS: Record<string, string> = { "src/scene/scene.ts": "app-scene.js", "src/study/main.tsx": "app-studymain.js" };

function chunkName({ facadeModuleId }: { facadeModuleId?: string | null }): string {
  const source = Object.keys(CHUNKS).find((path) => facadeModuleId?.endsWith(`/${path}`));
  if (!source) throw new Error(`vite.config.ts: no file name for the chunk of ${facadeModuleId}: add it to CHUNKS and to the server's routes`);
  return CHUNKS[source] as string;
}

export default defineConfig({
  base: "/",
  build: {
    outDir: process.env.EMC_STATIC ?? "../src/emc/server/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: "app.js", chunkFileNames: chunkName, assetFileNames: "app.[ext]" },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8731" } },
});

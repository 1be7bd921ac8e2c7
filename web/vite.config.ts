import { defineConfig } from "vite";

// Fixed names: the server knows its three files by name and never builds a path from a request.
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
      output: { entryFileNames: "app.js", chunkFileNames: "app-[name].js", assetFileNames: "app.[ext]" },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8731" } },
});

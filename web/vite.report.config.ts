import { defineConfig } from "vite";

// The report's scripts: each is one file without imports, which the page holds whole (it must open without a network).
const name = process.env.EMC_REPORT_SCRIPT ?? "viewer";

export default defineConfig({
  build: {
    outDir: process.env.EMC_REPORT_ASSETS ?? "../src/emc/assets/report",
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: `src/report/${name}.ts`, formats: ["iife"], name: `emc_${name}`, fileName: () => `${name}.js` },
  },
});

import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const arena = process.env["ARENA_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  plugins: [react()],
  server: { proxy: { "/ws": { target: arena, ws: true } } },
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
});

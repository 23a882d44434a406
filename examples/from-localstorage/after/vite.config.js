import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // /assets is where Counterfoil's pages load theirs from.
  build: { assetsDir: "static" },
  // The client is linked from this repository and would bring a React of its own.
  resolve: { dedupe: ["react"] },
  server: { proxy: { "^/(api|assets|login|register|account)\\b": "http://localhost:3000" } },
});

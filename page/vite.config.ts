import react from "@vitejs/plugin-react";
import { realpathSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { defineConfig } from "vitest/config";

// The service that the development server asks: what `make run` started, by default.
const service = process.env.KRKN_SERVER ?? "127.0.0.1:8080";
const target = service.includes("://") ? service : `http://${service}`;

export default defineConfig({
  plugins: [react()],
  build: {
    // Nothing inline: the Content-Security-Policy refuses inline scripts and styles, and data: URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    // node_modules is a link to a folder in the cache.
    fs: { allow: [".", realpathSync("node_modules")] },
    proxy: {
      "/api": {
        target,
        changeOrigin: true,
        configure: (proxy) => {
          // The service refuses the origin of another port; only development has one.
          proxy.on(
            "proxyReq",
            (request: { removeHeader(name: string): void }, _: IncomingMessage) => {
              request.removeHeader("origin");
            },
          );
        },
      },
    },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"] },
});

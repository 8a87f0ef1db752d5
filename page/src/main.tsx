import "@patternfly/react-core/dist/styles/base.css";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { HashRouter } from "react-router";
import { AccessProvider } from "./access/AccessProvider";
import { session } from "./api/session";
import { App } from "./App";
import { theme } from "./frame/theme";
// The last, so that it comes after the styles of the components.
import "./style.css";

session.start();
theme.start();

const queries = new QueryClient({
  // api/client.ts tries reads again itself, as the service asks it to.
  defaultOptions: { queries: { retry: false, staleTime: 2000 } },
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <AccessProvider>
        <HashRouter>
          <App />
        </HashRouter>
      </AccessProvider>
    </QueryClientProvider>
  </StrictMode>,
);

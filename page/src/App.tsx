import { Bullseye, Spinner } from "@patternfly/react-core";
import { Suspense } from "react";
import { Navigate, Route, Routes } from "react-router";
import { useSession } from "./api/live";
import { Frame } from "./frame/Frame";
import { SignIn } from "./frame/SignIn";
import { ROUTES } from "./routes";

/** The whole page: the frame, and in it the screen that the address names. */
export function App() {
  const { isRefused } = useSession();
  return (
    <Frame>
      {isRefused ? (
        <SignIn />
      ) : (
        <Suspense fallback={<Loading />}>
          <Routes>
            {ROUTES.map(({ path, Screen }) => (
              <Route key={path} path={path} element={<Screen />} />
            ))}
            <Route path="*" element={<Navigate to="/runs" replace />} />
          </Routes>
        </Suspense>
      )}
    </Frame>
  );
}

function Loading() {
  return (
    <Bullseye>
      <Spinner aria-label="Loading" />
    </Bullseye>
  );
}

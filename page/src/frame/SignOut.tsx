import { Button } from "@patternfly/react-core";
import { useAccess } from "../access/useAccess";
import { useSession } from "../api/live";
import { session } from "../api/session";

/** The way out, for callers whom the service knows. */
export function SignOut() {
  const { token, isRefused } = useSession();
  const { user } = useAccess();
  if (isRefused || !token || !user) return null;
  return (
    <Button variant="link" onClick={() => session.signOut()}>
      Sign out
    </Button>
  );
}

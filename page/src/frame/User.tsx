import { Button } from "@patternfly/react-core";
import { useAccess } from "../access/useAccess";
import { useSession } from "../api/live";
import { session } from "../api/session";

/** Who the service takes the caller for, and the way out. */
export function User() {
  const { token, isRefused } = useSession();
  const { user } = useAccess();
  if (isRefused || !token || !user) return null;
  return (
    <>
      <span className="krkn-user" title={user}>
        {user}
      </span>
      <Button variant="plain" onClick={() => session.signOut()}>
        Sign out
      </Button>
    </>
  );
}

import { useAccess } from "../access/useAccess";
import { useSession } from "../api/live";

/** Which service the page is of, in which namespace, and who the caller is to it. */
export function Place() {
  const { isRefused } = useSession();
  const { user, namespace, isKnown } = useAccess();
  const { host } = window.location;
  const parts = [host, namespace].filter(Boolean).join(" / ");
  if (isRefused || !isKnown) return <span className="krkn-place krkn-faint">{host}</span>;
  const caller = user || "no sign-in";
  return (
    <span className="krkn-place krkn-faint" title={`${caller} at ${parts}`}>
      <span className="krkn-clip">{parts}</span>
      <span className="krkn-clip">{caller}</span>
    </span>
  );
}

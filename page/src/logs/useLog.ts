import { useEffect, useMemo, useSyncExternalStore } from "react";
import { useSession } from "../api/live";
import { LogBuffer, type LogSnapshot } from "./buffer";
import { follow, type Source } from "./follow";

/** The last lines of a log, as they are written. */
export function useLog(source: Source): LogSnapshot {
  const { token } = useSession();
  const id = "jobId" in source ? `job ${source.jobId}` : `run ${source.runId}`;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- another log or caller: another buffer
  const buffer = useMemo(() => new LogBuffer(), [id, token]);
  useEffect(() => {
    const ended = new AbortController();
    // In development effects run twice: what the first one has read is not kept.
    buffer.clear();
    void follow(source, buffer, ended.signal);
    return () => ended.abort();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the source is what the id says
  }, [buffer]);
  return useSyncExternalStore(buffer.subscribe, buffer.get);
}

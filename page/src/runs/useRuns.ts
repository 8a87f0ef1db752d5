import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { all } from "../api/client";
import { useSession } from "../api/live";
import type { Run } from "../api/types";

const LIMIT = 500;
const INTERVAL_MILLISECONDS = 2000;

/** The newest runs that pass the filters of ListRuns, read again every two seconds. */
export function useRuns(query: Record<string, string>) {
  const { token } = useSession();
  return useQuery({
    queryKey: ["runs", token, query],
    queryFn: ({ signal }) => all<"runs", Run>("/api/v1/runs", "runs", { query, signal }, LIMIT),
    refetchInterval: INTERVAL_MILLISECONDS,
    placeholderData: keepPreviousData,
  });
}

/** Halts: what stops everything while it exists. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useAccess } from "../access/useAccess";
import { all, part, write } from "../api/client";
import { useSession } from "../api/live";
import type { Halt } from "../api/types";

const HALTS = "/api/v1/halts";
const INTERVAL_MILLISECONDS = 3000;
const LIMIT = 100;

/** The halts, newest first; read again every three seconds, where the caller may. */
export function useHalts() {
  const { token, isRefused } = useSession();
  const { may } = useAccess();
  return useQuery({
    queryKey: ["halts", token],
    queryFn: ({ signal }) => all<"halts", Halt>(HALTS, "halts", { signal }, LIMIT),
    enabled: !isRefused && may("list", "krknchaoshalts"),
    refetchInterval: INTERVAL_MILLISECONDS,
  });
}

/** Halt, and resume; both raise ApiError, and the banner shows at once what came of them. */
export function useHalting() {
  const queries = useQueryClient();
  const read = () => queries.invalidateQueries({ queryKey: ["halts"] });
  return {
    halt: async (reason: string, targetSelector: string): Promise<void> => {
      await write<Halt>("POST", HALTS, { body: { reason, targetSelector } });
      await read();
    },
    resume: async (name: string): Promise<void> => {
      await write("DELETE", `${HALTS}/${part(name)}`);
      await read();
    },
  };
}

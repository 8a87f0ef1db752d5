import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSession } from "../api/live";
import { AccessContext, NOTHING, readAccess } from "./useAccess";

const INTERVAL_MILLISECONDS = 60_000;

/** Asks what the caller may do, and asks again each minute: roles change. */
export function AccessProvider({ children }: { readonly children: ReactNode }) {
  const { token, isRefused } = useSession();
  const { data } = useQuery({
    queryKey: ["access", token],
    queryFn: ({ signal }) => readAccess(signal),
    enabled: !isRefused,
    refetchInterval: INTERVAL_MILLISECONDS,
  });
  return <AccessContext value={(!isRefused && data) || NOTHING}>{children}</AccessContext>;
}

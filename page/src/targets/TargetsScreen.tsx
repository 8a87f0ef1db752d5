import {
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Flex,
  FlexItem,
  PageSection,
  Skeleton,
  Title,
} from "@patternfly/react-core";
import { CubesIcon, SearchIcon } from "@patternfly/react-icons";
import { useMemo } from "react";
import { AllowedButton } from "../access/AllowedButton";
import { errorText } from "../api/errors";
import { useTargets } from "../api/live";
import { useSelector } from "../newrun/useTargetStates";
import { ErrorState } from "../ui/ErrorState";
import { useMerged } from "../ui/useMerged";
import { VirtualTable } from "../ui/VirtualTable";
import { ofParameters, passing } from "./filters";
import { FilterBar } from "./FilterBar";
import { LastJobsContext, useLastJobs } from "./lastJobs";
import { RegisterDialog } from "./RegisterDialog";
import { columnsOf } from "./targetColumns";
import { TargetDialog } from "./TargetDialog";
import "./targets.css";

/** The clusters, as they are: what the address filters, and the details of one of them. */
export default function TargetsScreen() {
  const [parameters, merge] = useMerged();
  const filters = useMemo(() => ofParameters(parameters), [parameters]);
  const { entries, isSynced, error } = useTargets();
  const bySelector = useSelector(filters.labels);
  const jobs = useLastJobs();
  const shown = useMemo(
    () => passing(entries.values(), filters, bySelector.selected),
    [entries, filters, bySelector.selected],
  );
  const columns = useMemo(() => columnsOf((uuid) => merge({ target: uuid })), [merge]);
  const uuid = parameters.get("target") ?? "";
  const register = () => merge({ register: "true" });
  return (
    <PageSection isFilled>
      <Flex className="krkn-head">
        <FlexItem grow={{ default: "grow" }}>
          <Title headingLevel="h1">Targets</Title>
        </FlexItem>
        <Register onClick={register} />
      </Flex>
      <FilterBar
        filters={filters}
        labelsError={bySelector.error ? errorText(bySelector.error) : undefined}
        onChange={merge}
      />
      {error && <ErrorState title="Targets are not up to date" error={error} />}
      {!isSynced && !error && <Skeleton height="20rem" screenreaderText="Loading the targets" />}
      {isSynced && entries.size === 0 && <NoneYet onRegister={register} />}
      {isSynced && entries.size > 0 && shown.length === 0 && (
        <EmptyState
          titleText="No target passes these filters"
          headingLevel="h2"
          icon={SearchIcon}
        />
      )}
      {shown.length > 0 && (
        <LastJobsContext value={jobs}>
          <VirtualTable
            label="Targets"
            columns={columns}
            entries={shown}
            entryKey={(target) => target.uuid}
            selected={uuid}
            onOpen={(target) => merge({ target: target.uuid })}
          />
          <p className="krkn-faint krkn-below" role="status">
            {shown.length} of {entries.size} targets, {shown.filter(({ ready }) => ready).length}{" "}
            ready
          </p>
        </LastJobsContext>
      )}
      {uuid !== "" && isSynced && (
        <TargetDialog
          target={entries.get(uuid)}
          jobs={jobs.get(uuid) ?? []}
          onClose={() => merge({ target: undefined })}
        />
      )}
      {parameters.get("register") === "true" && (
        <RegisterDialog onClose={() => merge({ register: undefined })} />
      )}
    </PageSection>
  );
}

function Register({ onClick }: { readonly onClick: () => void }) {
  return (
    <AllowedButton verb="create" resource="krknoperatortargets" onClick={onClick}>
      Register…
    </AllowedButton>
  );
}

function NoneYet({ onRegister }: { readonly onRegister: () => void }) {
  return (
    <EmptyState titleText="No cluster is registered yet" headingLevel="h2" icon={CubesIcon}>
      <EmptyStateBody>
        A target is a cluster and a credential for it. By command line:{" "}
        <code>krkn-grpc targets add --name NAME --kubeconfig FILE</code>
      </EmptyStateBody>
      <EmptyStateFooter>
        <EmptyStateActions>
          <Register onClick={onRegister} />
        </EmptyStateActions>
      </EmptyStateFooter>
    </EmptyState>
  );
}
